#include "expr/jq.h"

namespace tiphys::expr {

// A definition replaces the one of the same name in what follows: the original is kept under a name with an underscore
// where it is needed. `format` is what @NAME and "\(...)" call, `_modify` what |= calls.
constexpr std::string_view kJqPrelude = R"jq(
def env: {};
def input: error("No more inputs");
def inputs: input;
def input_filename: null;
def stderr: .;
def debug: .;
def debug(f): .;
def have_literal_numbers: true;
def have_decnum: false;

def _wrong($name): error("\($name) cannot be applied to: \(type)");
def _error(f): error(f);
def error(f): f as $message | if $message == null then _error("null") else _error($message) end;
def error: error(.);

def _tojson: tojson;
def _number:
  _tojson as $text
  | if $text | contains("e") | not then $text else
      ($text | split("e")) as [$mantissa, $exponent]
      | ($exponent | tonumber) as $e
      | (if . < 0 then "-" else "" end) as $sign
      | ($mantissa | split("-") | .[-1] | split(".") | join("")) as $digits
      | if $e < -6 or $e > 20 then $mantissa + (if $e < 0 then "e" else "e+" end) + ($e | _tojson)
        elif $e < 0 then $sign + "0." + ([range(-1 - $e) | "0"] | join("")) + $digits
        else $sign + $digits + ([range($e + 1 - ($digits | length)) | "0"] | join("")) end
    end;
def _tonumber: tonumber;
def tojson:
  if type == "number" then _number
  elif type == "array" then "[" + (map(tojson) | join(",")) + "]"
  elif type == "object" then
    . as $o | "{" + ([keys[] | . as $k | (_tojson + ":" + ($o[$k] | tojson))] | join(",")) + "}"
  else _tojson end;
def tostring: if type == "string" then . else tojson end;
def tonumber:
  if type == "string" and (test("^-?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?$") | not)
  then error("tonumber cannot be applied to: \(_tojson)") else _tonumber end;

def add(f): reduce f as $x (null; . + $x);
def abs: if type == "number" then if . < 0 then -. else . end else _wrong("abs") end;
def gamma: tgamma;
def _isnan: isnan;
def isnan: if type == "number" then _isnan elif . == null then false else _wrong("isnan") end;
def toarray: if type == "array" then . else [.] end;
def isempty(g): label $out | (g | false, break $out), true;
def limit($n; g):
  if $n > 0 then
    label $out | foreach g as $item ($n; . - 1; $item, if . <= 0 then break $out else empty end)
  elif $n == 0 then empty
  else error("limit doesn't support negative count") end;
def skip($n; g):
  if $n > 0 then foreach g as $item ($n; . - 1; if . < 0 then $item else empty end)
  elif $n == 0 then g
  else error("skip doesn't support negative count") end;
def last(g): reduce g as $x ([]; [$x]) | .[];
def nth($n; g): if $n >= 0 then first(skip($n; g)) else error("nth doesn't support negative index") end;

def _reverse: reverse;
def reverse: if type == "array" then _reverse else _wrong("reverse") end;
def _bsearch($x): bsearch($x);
def bsearch($x): if type == "array" then _bsearch($x) else _wrong("bsearch") end;
def _transpose: transpose;
def transpose: if type == "array" and all(.[]; type == "array") then _transpose else _wrong("transpose") end;
def _modify(paths; update):
  def _with_deletions:
    reduce path(paths) as $p ([., []];
      . as [$value, $deleted]
      | [$value | getpath($p) | update] as $new
      | if $new == [] then [$value, $deleted + [$p]] else [($value | setpath($p; $new[0])), $deleted] end)
    | . as [$value, $deleted] | $value | delpaths($deleted);
  "nothing to set" as $nothing
  | [try [reduce path(paths) as $p (.;
            [getpath($p) | update] as $new | if $new == [] then error($nothing) else setpath($p; $new[0]) end)]
     catch if . == $nothing then null else error(.) end] as [$done]
  | if $done then $done[0] else _with_deletions end;
def map_values(f): .[] |= f;
def to_entries: [keys[] as $k | {key: $k, value: .[$k]}];
def from_entries:
  if type != "array" then _wrong("from_entries") else
    map((.key // .Key // .name // .Name) as $key
        | if $key | type != "string" then $key | _wrong("from_entries") else
            {($key): (if has("value") then .value else .Value end)} end)
    | add // {}
  end;
def with_entries(f): to_entries | map(f) | from_entries;
def walk(f):
  def _walk: if type == "array" then map(_walk) elif type == "object" then map_values(_walk) else . end | f;
  _walk;
def pick(f): . as $v | reduce path(f) as $p (null; setpath($p; $v | getpath($p)));

def indices($x):
  if type == "null" then null
  elif type == "string" and ($x | type) == "string" then explode | indices($x | explode)
  elif type == "array" then ($x | toarray) as $part | if $part == [] then [] else .[$part] end
  else _wrong("indices") end;
def index($x): indices($x) | .[0];
def rindex($x): indices($x) | if . then .[-1:][0] else . end;
def _implode: implode;
def implode:
  if type != "array" then _wrong("implode") else . end
  | map(
      if type != "number" then _wrong("implode")
      elif . < 0 or . > 1114111 or (. >= 55296 and . < 57344) then 65533
      else floor end)
  | _implode;
def ascii: [.] | implode;

def _ltrimstr($x): ltrimstr($x);
def ltrimstr($x): if type == "string" and ($x | type) == "string" then _ltrimstr($x) else _wrong("ltrimstr") end;
def _rtrimstr($x): rtrimstr($x);
def rtrimstr($x): if type == "string" and ($x | type) == "string" then _rtrimstr($x) else _wrong("rtrimstr") end;
def _split($x): split($x);
def split($x): if . == "" and ($x | type) == "string" and $x != "" then [""] else _split($x) end;

# libjq repeats empty matches, adds one after a longer match, and lacks the one at the end.
def _match($re; $flags): match($re; $flags);
def match($re; $flags):
  if $flags == null or ($flags | contains("g") | not) then _match($re; $flags) else
    [_match($re; $flags)] as $all
    | if all($all[]; .length > 0) then $all[] else
        length as $size
        | $all + [_match("(?:" + $re + ")\\z"; $flags | split("g") | join(""))
                  | select(.length == 0 and .offset == $size)]
        | foreach .[] as $m
            ({end: -1};
             .skip = ($m.length == 0 and $m.offset <= .end) | .end = ([.end, $m.offset + $m.length] | max);
             if .skip then empty else $m end)
      end
  end;
def match($re): match($re; null);
def _capture: [.captures[] | select(.name) | {key: .name, value: .string}] | from_entries;
def capture($re; $flags): match($re; $flags) | _capture;
def capture($re): capture($re; null);
def scan($re; $flags): match($re; $flags + "g") | if .captures == [] then .string else [.captures[].string] end;
def scan($re): scan($re; null);
def split($re; $flags):
  . as $s
  | [foreach ((match($re; $flags + "g") | [.offset, .length]), null) as $m
      ({end: 0}; if $m then .part = $s[.end:$m[0]] | .end = $m[0] + $m[1] else .part = $s[.end:] end; .part)];
def splits($re; $flags): split($re; $flags)[];
def splits($re): splits($re; null);
def sub($re; str; $flags):
  [match($re; $flags)] as $matches
  | explode as $points
  | [$matches[] | [_capture | str]] as $texts
  | def _between($i):
      $points[if $i == 0 then 0 else $matches[$i - 1] | .offset + .length end:$matches[$i].offset] | _implode;
    def _replace($i):
      if $i < 0 then "" else $texts[$i][] as $text | _replace($i - 1) + (_between($i) + $text) end;
    (if all($texts[]; length == 1)
     then reduce range(0; $matches | length) as $i (""; . + _between($i) + $texts[$i][0])
     else _replace(($matches | length) - 1) end)
    + ($points[if $matches == [] then 0 else $matches[-1] | .offset + .length end:] | _implode);
def sub($re; str): sub($re; str; null);
def gsub($re; str; $flags): sub($re; str; $flags + "g");
def gsub($re; str): sub($re; str; "g");
def ltrim: if type == "string" then .[([match("^\\s+")] | .[0].length) // 0:] else _wrong("ltrim") end;
def rtrim:
  if type == "string" then [match("\\s+\\z")] as $m | if $m == [] then . else .[:$m[0].offset] end
  else _wrong("rtrim") end;
def trim: if type == "string" then ltrim | rtrim else _wrong("trim") end;
def trimstr($x): ltrimstr($x) | rtrimstr($x);

def _from_utf8:
  reduce .[] as $b ({out: [], point: 0, left: 0};
    if .left > 0 and $b >= 128 and $b < 192 then
      .point = .point * 64 + $b - 128 | .left -= 1 | if .left == 0 then .out += [.point] else . end
    else
      if .left > 0 then .out += [65533] | .left = 0 else . end
      | if $b < 128 then .out += [$b]
        elif $b >= 240 then .point = $b - 240 | .left = 3
        elif $b >= 224 then .point = $b - 224 | .left = 2
        elif $b >= 192 then .point = $b - 192 | .left = 1
        else .out += [65533] end
    end)
  | if .left > 0 then .out + [65533] else .out end | implode;
def _hex: if . >= 97 then . - 87 elif . >= 65 then . - 55 else . - 48 end;
def _uri: @uri | split("!") | join("%21") | split("*") | join("%2A") | split("'") | join("%27")
  | split("(") | join("%28") | split(")") | join("%29");
def _urid:
  if test("%(?![0-9A-Fa-f]{2})") then error("@urid cannot be applied to: \(_tojson)") else
    [match("%[0-9A-Fa-f]{2}|[^%]+"; "g").string
      | if startswith("%") then explode | (.[1] | _hex) * 16 + (.[2] | _hex)
        else @uri | split("%") | (.[0] | explode[]),
          (.[1:][] | explode | (.[0] | _hex) * 16 + (.[1] | _hex), .[2:][]) end]
    | _from_utf8 end;
def _base32d:
  [explode[] | if . >= 65 and . <= 90 then . - 65 elif . >= 50 and . <= 55 then . - 24 elif . == 61 then empty
               else error("the input is not valid base32") end]
  | reduce .[] as $digit ({out: [], bits: 0, count: 0};
      .bits = .bits * 32 + $digit | .count += 5
      | if .count >= 8 then
          .count -= 8 | pow(2; .count) as $unit
          | .out += [.bits / $unit | floor] | .bits -= (.bits / $unit | floor) * $unit
        else . end)
  | .out | _from_utf8;
def _format(f): format(f);
def format($name):
  if $name == "text" then tostring
  elif $name == "json" then tojson
  elif $name == "uri" then tostring | _uri
  elif $name == "urid" then tostring | _urid
  elif $name == "base32d" then tostring | _base32d
  elif $name == "csv" or $name == "tsv" or $name == "sh" then _format($name)
  else tostring | _format($name) end;

def _strftime($format): strftime($format);
def strftime($format): if type == "number" then gmtime else . end | _strftime($format);
def _strflocaltime($format): strflocaltime($format);
def strflocaltime($format): if type == "number" then localtime else . end | _strflocaltime($format);
def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def todate: todateiso8601;
def fromdateiso8601:
  if type == "string" then
    ([capture("^(?<time>.*?)(?<zone>Z|[-+][0-9]{2}:?[0-9]{2})$")] | .[0]) as $t
    | if $t == null then error("date \(_tojson) is not in the format of ISO 8601") else . end
    | ($t.time | strptime("%Y-%m-%dT%H:%M:%S") | mktime)
      - ($t.zone | if . == "Z" then 0 else
          (if .[0:1] == "-" then -1 else 1 end) * ((.[1:3] | tonumber) * 3600 + (.[-2:] | tonumber) * 60) end)
  else _wrong("fromdateiso8601") end;
def fromdate: fromdateiso8601;
)jq";

}  // namespace tiphys::expr
