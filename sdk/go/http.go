package chiton

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

const (
	// The host checks each redirect like a request of its own.
	mostRedirects = 5
	// Characters of a body that a failure repeats.
	mostOfAnError = 300
)

// Header is one header field.
type Header struct{ Name, Value string }

// Request is sent by the host, to granted addresses only.
type Request struct {
	Method  string     // GET if it is empty, or POST with a body
	URL     string     // absolute
	Query   url.Values // appended to the URL
	Headers []Header
	Body    []byte
}

// Response is the answer. A status such as 404 is no error: see Success.
type Response struct {
	Status  int
	URL     string // that answered, after redirects
	Headers []Header
	Body    []byte
}

// Get fetches a URL.
func Get(address string) (*Response, error) {
	return Request{URL: address}.Send()
}

// Send sends the request and waits for the whole response.
func (request Request) Send() (*Response, error) {
	method, address := request.Method, request.URL
	if method == "" {
		method = "GET"
		if request.Body != nil {
			method = "POST"
		}
	}
	if len(request.Query) > 0 {
		sign := "?"
		if strings.Contains(address, "?") {
			sign = "&"
		}
		address += sign + request.Query.Encode()
	}
	return fetch(method, address, request.Headers, request.Body)
}

// Header gives the value of a header field, in any case, or "".
func (response *Response) Header(name string) string {
	for _, header := range response.Headers {
		if strings.EqualFold(header.Name, name) {
			return header.Value
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

// JSON reads the body of a successful response.
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
	address, err := url.Parse(response.URL)
	if err != nil {
		return "the service"
	}
	return address.Host
}

// Secret gives the text that stands for a secret in the header or query field it is granted for; the host puts the
// value in.
func Secret(name string) (string, error) {
	if text, found := placeholder(name); found {
		return text, nil
	}
	return "", Fail(Denied, "secrets=%s", name)
}

// Progress shows the user one line about how far the call is. Waits while the reader is slow.
func Progress(format string, values ...any) {
	progressReport(readable(fmt.Sprintf(format, values...)))
}

// Level says how much a line of the owner's log matters.
type Level uint32

const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Log adds a line to the owner's log.
func Log(level Level, format string, values ...any) {
	logWrite(uint32(level), readable(fmt.Sprintf(format, values...)))
}

// RemainingMilliseconds is how long the call may still run.
func RemainingMilliseconds() uint64 { return contextRemaining() }
