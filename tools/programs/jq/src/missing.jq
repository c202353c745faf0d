# Functions of jq's manual that the crates leave out.

# See creating.rs: updates at a key that may not be there yet.
def _room($key):
  ($key | type) as $type
  | if . == null then (if $type == "string" then {} elif $type == "number" then [] else . end) else . end
  | if type == "array" and $type == "number" and $key >= length then . + [range(length; $key + 1) | null] else . end;
def _at($key; f): _room($key) | .[$key] |= f;
def setpath($path; $value): if $path == [] then $value else _at($path[0]; setpath($path[1:]; $value)) end;
def ltrimstr($text): if type == "string" and ($text | type) == "string" and startswith($text) then .[$text | length:] else . end;
def rtrimstr($text):
  if type == "string" and ($text | type) == "string" and endswith($text) then .[:length - ($text | length)] else . end;
def join($text): if length == 0 then "" else map(if . == null then "" else tostring end) as $parts
  | reduce $parts[1:][] as $part ($parts[0]; . + $text + $part) end;

def quoted_by($quote): split($quote) | join($quote + $quote);
def row(cell; $separator; $name):
  if type == "array" then [.[] | if type == "array" or type == "object"
    then error("\(type) (\(tojson)) is not valid in a \($name) row") elif . == null then "" else cell end] | join($separator)
  else error("\(type) (\(tojson)) cannot be \($name)-formatted, only an array can be so") end;
def @csv: row(if type == "string" then "\"" + quoted_by("\"") + "\"" else tostring end; ","; "csv");
def @tsv: row(tostring | split("\\") | join("\\\\") | split("\t") | join("\\t") | split("\n") | join("\\n")
  | split("\r") | join("\\r"); "\t"; "tsv");
def format($name):
  if $name == "text" then @text elif $name == "json" then @json elif $name == "csv" then @csv elif $name == "tsv" then @tsv
  elif $name == "html" then @html elif $name == "uri" then @uri elif $name == "sh" then @sh elif $name == "base64" then @base64
  elif $name == "base64d" then @base64d else error("\($name) is not a valid format") end;

def IN(values): . as $value | any(values; . == $value);
def IN(source; values): any(source; IN(values));
def INDEX(rows; key): reduce rows as $row ({}; .[$row | key | tostring] = $row);
def INDEX(key): INDEX(.[]; key);
def GROUP_BY(key): group_by(key);
def UNIQUE_BY(key): unique_by(key);
def leaf_paths: paths(scalars);
def recurse_down: recurse;
def toarray: if type == "array" then . else [.] end;
def trimstr($text): ltrimstr($text) | rtrimstr($text);
def ascii: [.] | implode;
def isvalid(f): try (f | true) catch false;

def date: todate;
def dateadd($unit; $seconds): . + $seconds;
def datesub($unit; $seconds): . - $seconds;

# An event for each leaf, and one where an array or object ends.
def tostream:
  def events($path):
    if (type == "array" or type == "object") and length > 0 then
      (if type == "array" then [range(length)] else keys_unsorted end) as $keys
      | ($keys[] as $key | .[$key] | events($path + [$key])), [$path + [$keys[-1]]]
    else [$path, .] end;
  events([]);
def fromstream(events):
  foreach events as $event ({done: true};
    (if .done then {done: false, value: null} else . end)
    | if ($event | length) == 2
      then .value = (.value | setpath($event[0]; $event[1])) | .done = ($event[0] == [])
      else .done = (($event[0] | length) == 1) end;
    select(.done) | .value);
def truncate_stream(events): . as $depth | null | events | select(.[0] | length > $depth) | .[0] |= .[$depth:];

def input_line_number: 0;
def get_search_list: [];
def have_literal_numbers: true;
def have_decnum: false;
