// A Go program with lib/pq that meets one error, and what it sees then: faults DSN MODE.
package main

import (
	"database/sql"
	"fmt"
	"os"

	"github.com/lib/pq"
)

const faulted = "INSERT INTO payments (id, note) VALUES ($1, $2)"

func say(what string, err error) {
	if refusal, ok := err.(*pq.Error); ok {
		fmt.Println(what, refusal.Severity, refusal.Code, refusal.Message)
	} else {
		fmt.Println(what, err)
	}
}

func nextFive(db *sql.DB) {
	var number int
	say("first", db.QueryRow("select $1::int", 77).Scan(&number))
	fmt.Println(number)
	_, err := db.Exec("insert into payments (id) values ($1)", 2)
	say("second", err)
	var text string
	say("third", db.QueryRow("select '87'").Scan(&text))
	fmt.Println(text)
	_, err = db.Exec("insert into payments (id) values (3)")
	say("fourth", err)
	say("fifth", db.QueryRow("select count(*) from payments").Scan(&number))
	fmt.Println(number)
}

func inTransaction(db *sql.DB, commits bool) {
	tx, err := db.Begin()
	say("begin", err)
	_, err = tx.Exec("insert into payments (id) values (1)")
	say("insert", err)
	_, err = tx.Exec(faulted, 10, "x")
	say("faulted", err)
	if commits {
		say("commit", tx.Commit())
		return
	}
	_, err = tx.Exec("select 5")
	say("behind", err)
	say("commit", tx.Commit())
}

func main() {
	db, err := sql.Open("postgres", os.Args[1])
	say("open", err)
	db.SetMaxOpenConns(1) // What one session has been through shows in the next operation.
	switch os.Args[2] {
	case "autocommit":
		_, err = db.Exec(faulted, 10, "x")
		say("faulted", err)
	case "prepared":
		statement, err := db.Prepare(faulted)
		say("prepare", err)
		for id := 10; id < 13; id++ {
			_, err = statement.Exec(id, "x")
			say("faulted", err)
		}
	case "transaction":
		inTransaction(db, false)
	case "commit":
		inTransaction(db, true)
	}
	nextFive(db)
	say("close", db.Close())
}
