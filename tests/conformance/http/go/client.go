// Requests one after the other on one client, as Go programs make them: status and body, or the error.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	for n, step := range os.Args[2:] {
		method, path, _ := strings.Cut(step, " ")
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader("body")
		}
		request, err := http.NewRequest(method, os.Args[1]+path, body)
		if err != nil {
			panic(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			text := err.Error()
			fmt.Println("error", text[strings.LastIndex(text, ": ")+2:])
			continue
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		fmt.Println(n, answer.StatusCode, strings.TrimSpace(string(text)), err)
	}
}
