// Steps one after the other on one default client: a line of JSON for each, with what a program sees.
package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
)

type told struct {
	Status  int     `json:"status"`
	Reason  string  `json:"reason"`
	Length  *string `json:"length"`
	Chunked bool    `json:"chunked"`
	Close   bool    `json:"close"`
	Type    *string `json:"type"`
	Body    string  `json:"body"`
	Raised  string  `json:"raised"`
	Reused  bool    `json:"reused"`
}

func last(err error) string {
	text := err.Error()
	return strings.TrimSpace(text[strings.LastIndex(text, ": ")+1:])
}

func field(answer *http.Response, name string) *string {
	if values := answer.Header.Values(name); len(values) == 1 {
		return &values[0]
	}
	return nil
}

func run(url string, step string) (seen told) {
	method, path, _ := strings.Cut(step, " ")
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader("body")
	}
	request, err := http.NewRequest(method, url+path, body)
	if err != nil {
		panic(err)
	}
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		seen.Reused = info.Reused
	}}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		seen.Raised = last(err)
		return
	}
	text, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil {
		seen.Raised = last(err)
	}
	seen.Status, seen.Reason = answer.StatusCode, strings.TrimSpace(answer.Status[3:])
	seen.Length, seen.Type = field(answer, "Content-Length"), field(answer, "Content-Type")
	seen.Chunked, seen.Close = len(answer.TransferEncoding) > 0, answer.Close
	seen.Body = string(text)
	return
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, step := range os.Args[2:] {
		if err := out.Encode(run(os.Args[1], step)); err != nil {
			panic(err)
		}
	}
}
