// Package tables prints the rows of the tables in Prometheus's tests as JSON, as they are when the tests run.
// The conformance build puts it into a copy of its sources, with a call at the loops over the tables.
package tables

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strconv"
	"unsafe"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
)

// Print appends a line {"table", "rows"} to the file that TABLES_FILE names.
func Print[T any](table string, rows []T) []T {
	line, err := json.Marshal(map[string]any{"table": table, "rows": plain(addressable(rows))})
	if err != nil {
		panic(err)
	}
	out, err := os.OpenFile(os.Getenv("TABLES_FILE"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer out.Close()
	if _, err := out.Write(append(line, '\n')); err != nil {
		panic(err)
	}
	return rows
}

// addressable allows to read fields that are not exported.
func addressable(value any) reflect.Value {
	copied := reflect.New(reflect.TypeOf(value)).Elem()
	copied.Set(reflect.ValueOf(value))
	return copied
}

func plain(value reflect.Value) any {
	if value.CanAddr() {
		value = reflect.NewAt(value.Type(), unsafe.Pointer(value.UnsafeAddr())).Elem()
	}
	if value.IsValid() && value.CanInterface() {
		if known, ok := plainKnown(value.Interface()); ok {
			return known
		}
	}
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			return nil
		}
		return plain(value.Elem())
	case reflect.Struct:
		return plainStruct(value)
	case reflect.Slice, reflect.Array:
		list := make([]any, value.Len())
		for i := range list {
			list[i] = plain(value.Index(i))
		}
		return list
	case reflect.Map:
		fields := map[string]any{}
		for _, key := range value.MapKeys() {
			fields[fmt.Sprint(key)] = plain(addressable(value.MapIndex(key).Interface()))
		}
		return fields
	case reflect.Float64, reflect.Float32:
		return plainFloat(value.Float())
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return nil
	}
	return value.Interface()
}

// plainStruct leaves out fields that have no value.
func plainStruct(value reflect.Value) any {
	fields := map[string]any{}
	for i := range value.NumField() {
		if field := value.Field(i); !field.IsZero() {
			fields[value.Type().Field(i).Name] = plain(field)
		}
	}
	return fields
}

func plainFloat(value float64) any {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return strconv.FormatFloat(value, 'g', -1, 64)
	}
	return value
}

func plainKnown(value any) (any, bool) {
	switch known := value.(type) {
	case labels.Labels:
		return known.Map(), true
	case *histogram.Histogram:
		if known == nil {
			return nil, true
		}
		return known.ToFloat(nil).String(), true
	case *histogram.FloatHistogram:
		if known == nil {
			return nil, true
		}
		return known.String(), true
	case fmt.Stringer:
		if reflect.TypeOf(value).Name() == "Regexp" {
			return known.String(), true
		}
	}
	return nil, false
}
