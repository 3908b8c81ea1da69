package people

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// childEnv makes the test binary a process that adds users until it is killed.
const childEnv = "ANDON_TEST_PEOPLE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		fmt.Println(addForever(dir, os.Getenv(childEnv+"_FROM")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// addForever adds users, records every third, and prints what has been done.
func addForever(dir, from string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	s.cost = cost{kib: 8, passes: 1, threads: 1}
	n, err := strconv.Atoi(from)
	for ; err == nil; n++ {
		id := fmt.Sprintf("u%d", n)
		if err = s.Add(context.Background(), New{id, "Name of " + id, Viewer, annPIN}, by(at0())); err != nil {
			return err
		}
		fmt.Println("added", id)
		if n%3 == 0 {
			err = s.Record(context.Background(), func(_ context.Context, c Change) error {
				_, err := fmt.Println("recorded", c.User)
				return err
			})
		}
	}
	return err
}

// TestKill kills a process in the middle of its changes, again and again: the
// file can always be read, what was acknowledged is there, and each person's entry
// is on record or owed.
func TestKill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, rnd := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	added, recorded := map[string]bool{}, map[string]bool{}
	next := 0
	for round := range 25 {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		child := exec.CommandContext(ctx, self)
		child.Env = append(os.Environ(), childEnv+"="+dir, childEnv+"_FROM="+strconv.Itoa(next))
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for left := 1 + rnd.IntN(8); lines.Scan(); left-- {
			var what, id string
			if _, err := fmt.Sscan(lines.Text(), &what, &id); err != nil || what != "added" && what != "recorded" {
				t.Fatalf("the child says %q", lines.Text())
			}
			map[string]map[string]bool{"added": added, "recorded": recorded}[what][id] = true
			if left <= 0 {
				if err := child.Process.Kill(); err != nil { // what it still wrote is read to its end
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		cancel()
		next = checkAfterKill(t, round, dir, added, recorded)
	}
	if len(added) < 25 || len(recorded) < 10 {
		t.Errorf("%d added, %d recorded: the children did not do much", len(added), len(recorded))
	}
}

// checkAfterKill returns the number from which the next child goes on.
func checkAfterKill(t *testing.T, round int, dir string, added, recorded map[string]bool) int {
	t.Helper()
	s := openCheap(t, dir)
	list, err := s.List(at0())
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	there := map[string]bool{}
	for _, p := range list {
		there[p.ID] = true
	}
	for id := range added {
		if !there[id] {
			t.Fatalf("round %d: %s was added and is gone", round, id)
		}
	}
	owed := map[string]bool{}
	changes, err := s.Unrecorded()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		owed[c.User] = true
	}
	for _, p := range list {
		if !owed[p.ID] && !recorded[p.ID] {
			t.Fatalf("round %d: %s is there, and its entry neither on record nor owed", round, p.ID)
		}
	}
	return len(list)
}
