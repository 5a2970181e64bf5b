// SPDX-License-Identifier: Apache-2.0

// The peer in the comparison: the same answers as examples/web, upgraded by tableflip on SIGUSR2.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/cloudflare/tableflip"
)

func main() {
	address := flag.String("http", "127.0.0.1:0", "address to listen on")
	flag.Parse()

	upgrader, err := tableflip.New(tableflip.Options{})
	if err != nil {
		log.Fatalln("tableflip:", err)
	}
	defer upgrader.Stop()
	go obeySignals(upgrader)

	listener, err := upgrader.Listen("tcp", *address)
	if err != nil {
		log.Fatalln("listen:", err)
	}
	server := &http.Server{Handler: answer(strconv.Itoa(os.Getpid()))}
	go func() {
		if err := server.Serve(listener); err != http.ErrServerClosed {
			log.Println("serve:", err)
		}
	}()
	if err := upgrader.Ready(); err != nil {
		log.Fatalln("ready:", err)
	}
	fmt.Println("ready", os.Getpid())
	<-upgrader.Exit()

	deadline, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		log.Println("shutdown:", err)
	}
}

func obeySignals(upgrader *tableflip.Upgrader) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2, syscall.SIGTERM)
	for received := range signals {
		if received == syscall.SIGTERM {
			upgrader.Stop()
		} else if err := upgrader.Upgrade(); err != nil {
			log.Println("upgrade:", err)
		}
	}
}

func answer(generation string) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("X-Generation", generation)
		_, _ = io.WriteString(response, "hello\n")
	})
}
