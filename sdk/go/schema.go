package chiton

import (
	"encoding/json"
	"reflect"
	"strings"
)

// describe gives the JSON Schema of a struct, and its defaults as a JSON object.
func describe[A any]() (schema string, defaults []byte) {
	values := map[string]any{}
	text, err := json.Marshal(object(reflect.TypeFor[A](), values))
	if err == nil {
		defaults, err = json.Marshal(values)
	}
	if err != nil {
		panic(err) // a default that is no JSON: seen when the component is loaded
	}
	return string(text), defaults
}

func object(of reflect.Type, defaults map[string]any) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range of.NumField() {
		field := of.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		property := schemaOf(field.Type)
		for _, key := range []string{"description", "minimum", "maximum", "pattern", "enum", "default"} {
			if text, found := field.Tag.Lookup(key); found {
				property[key] = valueOf(key, text, field.Type)
			}
		}
		if value, found := property["default"]; found {
			defaults[name] = value
		} else if !strings.Contains(options, "omitempty") && field.Type.Kind() != reflect.Pointer {
			required = append(required, name)
		}
		properties[name] = property
	}
	return map[string]any{
		"type": "object", "properties": properties, "required": required, "additionalProperties": false,
	}
}

// What a tag means: text for descriptions and patterns, a list for enum, and else a value of the field's own type.
func valueOf(key, text string, of reflect.Type) any {
	switch {
	case key == "enum":
		return strings.Split(text, ",")
	case key == "description" || key == "pattern" || of.Kind() == reflect.String:
		return text
	}
	return json.RawMessage(text)
}

func schemaOf(of reflect.Type) map[string]any {
	switch of.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(of.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(of.Elem())}
	case reflect.Pointer:
		return schemaOf(of.Elem())
	case reflect.Struct:
		return object(of, map[string]any{})
	}
	if of.Kind() >= reflect.Int && of.Kind() <= reflect.Uint64 {
		return map[string]any{"type": "integer"}
	}
	return map[string]any{}
}
