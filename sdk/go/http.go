package chiton

import (
	"encoding/json"
	"net/url"
	"strings"
)

const (
	mostRedirects = 5   // the host checks each like a request of its own
	mostOfAnError = 300 // bytes of a body that a failure repeats
)

// Field is a header field.
type Field struct{ Name, Value string }

// Request is for the host to send, to granted addresses only.
type Request struct {
	Method  string     // if it is empty: GET, or POST with a body
	URL     string     // absolute
	Query   url.Values // appended to the URL
	Headers []Field
	Body    []byte
}

// Response is the answer. A status such as 404 is no error: see Success.
type Response struct {
	Status  int
	URL     string // that answered, after redirects
	Headers []Field
	Body    []byte
}

// Get fetches a URL.
func Get(address string) (*Response, error) { return Send(Request{URL: address}) }

// Send sends a request and waits for the whole response.
func Send(request Request) (*Response, error) {
	if request.Method == "" {
		request.Method = "GET"
		if len(request.Body) > 0 {
			request.Method = "POST"
		}
	}
	if len(request.Query) > 0 {
		sign := "?"
		if strings.Contains(request.URL, "?") {
			sign = "&"
		}
		// A plus is a space in forms only; %20 is one everywhere.
		request.URL += sign + strings.ReplaceAll(request.Query.Encode(), "+", "%20")
	}
	return fetch(request)
}

// Header gives the value of a header field, in any case; of several with one name the first, of none "".
func (response *Response) Header(name string) string {
	for _, field := range response.Headers {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}

// Success gives a failure if the status is not 200 to 299.
func (response *Response) Success() error {
	if response.Status >= 200 && response.Status < 300 {
		return nil
	}
	kind := Failed
	if response.Status == 404 {
		kind = NotFound
	}
	body := response.Body[:min(len(response.Body), mostOfAnError)]
	return Fail(kind, "%s answered with status %d: %s", response.host(), response.Status, body)
}

// JSON puts the body of a successful response into a value, as encoding/json does.
func (response *Response) JSON(into any) error {
	if err := response.Success(); err != nil {
		return err
	}
	if err := json.Unmarshal(response.Body, into); err != nil {
		return Fail(Failed, "%s sent an answer of an unexpected form: %v", response.host(), err)
	}
	return nil
}

// The host that answered, for sentences: the URL's query may hold what is nobody's business.
func (response *Response) host() string {
	_, host, found := strings.Cut(response.URL, "://")
	if !found {
		host = response.URL
	}
	if end := strings.IndexAny(host, "/?#"); end >= 0 {
		host = host[:end]
	}
	return host
}
