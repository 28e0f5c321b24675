// A Go program with pgx that meets one error, and what it sees then: pgx DSN MODE.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const faulted = "INSERT INTO payments (id, note) VALUES ($1, $2)"

var ctx = context.Background()

func say(what string, err error) {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		fmt.Println(what, refusal.Severity, refusal.Code, refusal.Message)
	} else {
		fmt.Println(what, err)
	}
}

type executor interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
	QueryRow(context.Context, string, ...any) pgx.Row
}

func nextFive(conn executor) {
	var number int
	say("first", conn.QueryRow(ctx, "select $1::int", 77).Scan(&number))
	_, err := conn.Exec(ctx, "insert into payments (id) values ($1)", 2)
	say("second", err)
	var text string
	say("third", conn.QueryRow(ctx, "select '87'").Scan(&text))
	_, err = conn.Exec(ctx, "insert into payments (id) values (3)")
	say("fourth", err)
	var count int
	say("fifth", conn.QueryRow(ctx, "select count(*) from payments").Scan(&count))
	fmt.Println(number, text, count)
}

func inTransaction(conn *pgx.Conn) {
	tx, err := conn.Begin(ctx)
	say("begin", err)
	_, err = tx.Exec(ctx, "insert into payments (id) values (1)")
	say("insert", err)
	_, err = tx.Exec(ctx, faulted, 10, "x")
	say("faulted", err)
	_, err = tx.Exec(ctx, "select 5")
	say("behind", err)
	say("commit", tx.Commit(ctx))
}

func batch(conn *pgx.Conn) {
	requests := &pgx.Batch{}
	requests.Queue("insert into payments (id) values ($1)", 1)
	requests.Queue(faulted, 10, "x")
	requests.Queue("insert into payments (id) values ($1)", 11)
	results := conn.SendBatch(ctx, requests)
	for n := 0; n < 3; n++ {
		tag, err := results.Exec()
		say(fmt.Sprint("batch ", n, " ", tag.RowsAffected()), err)
	}
	say("end of the batch", results.Close())
}

func copyIn(conn *pgx.Conn) {
	rows := [][]any{{10, "x"}, {11, "y"}}
	number, err := conn.CopyFrom(ctx, pgx.Identifier{"payments"}, []string{"id", "note"},
		pgx.CopyFromRows(rows))
	say(fmt.Sprint("copied ", number), err)
}

func main() {
	config, err := pgx.ParseConfig(os.Args[1])
	say("config", err)
	if os.Args[2] == "simple" {
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	say("connect", err)
	switch os.Args[2] {
	case "autocommit", "simple":
		_, err = conn.Exec(ctx, faulted, 10, "x")
		say("faulted", err)
	case "prepared":
		_, err = conn.Prepare(ctx, "insert", faulted)
		say("prepare", err)
		for id := 10; id < 13; id++ {
			_, err = conn.Exec(ctx, "insert", id, "x")
			say("faulted", err)
		}
	case "transaction", "commit":
		inTransaction(conn)
	case "batch":
		batch(conn)
	case "copy":
		copyIn(conn)
	}
	nextFive(conn)
	say("close", conn.Close(ctx))
}
