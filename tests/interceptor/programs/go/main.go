// goprogram write FILE [errno]: writes to FILE; fails with errno, or works without one.
// goprogram connect ADDRESS [errno]: connects and shows the peer's greeting.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
)

func expected() syscall.Errno {
	if len(os.Args) < 4 {
		return 0
	}
	number, _ := strconv.Atoi(os.Args[3])
	return syscall.Errno(number)
}

func errnoOf(err error) syscall.Errno {
	var number syscall.Errno
	errors.As(err, &number)
	return number
}

func check(ok bool, what string, err error) {
	if !ok {
		fmt.Println("not as expected:", what, err)
		os.Exit(1)
	}
}

func write(path string) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	check(err == nil, "open", err)
	_, err = file.Write([]byte("text"))
	check(errnoOf(err) == expected(), "write", err)
	_, err = file.WriteAt([]byte("text"), 0)
	check(errnoOf(err) == expected(), "pwrite", err)
}

func connect(address string) {
	connection, err := net.Dial("tcp", address)
	check(errnoOf(err) == expected(), "connect", err)
	if err != nil {
		return
	}
	greeting, err := io.ReadAll(connection)
	check(err == nil, "read", err)
	fmt.Println("greeting", string(greeting))
}

func main() {
	act := map[string]func(string){"write": write, "connect": connect}[os.Args[1]]
	var group sync.WaitGroup
	// Several at once, so that calls come from threads other than the first.
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			act(os.Args[2])
		}()
	}
	group.Wait()
	fmt.Println("EXIT-SUCCESS")
}
