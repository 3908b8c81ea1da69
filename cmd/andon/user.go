package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/gateway"
	"andon/internal/people"
)

func newUserCommand() *cobra.Command {
	cmd := group("user", "People who may sign at this gateway")
	cmd.Long = `user works on the people of one gateway. Each change takes effect at once, also
while the gateway runs, and goes on its audit trail: at once when it runs, else at
its next start. Nobody is ever removed: what was signed stays attributable.`
	cmd.AddCommand(newUserAddCommand(), newUserListCommand(), newUserDisableCommand(),
		newUserEnableCommand(), newUserPINCommand(), newUserRoleCommand())
	return cmd
}

// userFlags are those of every verb that changes somebody.
type userFlags struct{ config, reason, pinFile string }

func (u *userFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&u.config, "config", "", "settings of the gateway (gateway.yaml)")
	cmd.Flags().StringVar(&u.reason, "reason", "", "why, for the audit trail")
	required(cmd, "config")
}

func (u *userFlags) addPIN(cmd *cobra.Command) {
	cmd.Flags().StringVar(&u.pinFile, "pin-file", "", "file with the PIN on its only line; without it the terminal asks")
}

// verb is a command that changes the user with an id.
func (u *userFlags) verb(use, short string, do func(*cobra.Command, *people.Store, people.By, string) (said string, err error)) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := people.CheckID(args[0]); err != nil {
				return err // usage
			}
			dir, store, err := openPeople(cmd, u.config)
			if err != nil {
				return err
			}
			// people can be made known before the gateway's first start
			if err := os.MkdirAll(dir, 0o750); err != nil {
				return exit{exitFound, fmt.Errorf("make data.dir: %w", err)}
			}
			said, err := do(cmd, store, operatingBy(u.reason), args[0])
			if err != nil {
				return exit{exitFound, err}
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), said); err != nil {
				return err
			}
			return tellGateway(cmd, dir)
		},
	}
	u.add(cmd)
	return cmd
}

func newUserAddCommand() *cobra.Command {
	var u userFlags
	var name, role string
	cmd := u.verb("add --config FILE --name NAME --role ROLE [--pin-file FILE] ID", "Make a person known",
		func(cmd *cobra.Command, s *people.Store, by people.By, id string) (string, error) {
			pin, err := u.pin(cmd, id)
			if err != nil {
				return "", err
			}
			err = s.Add(cmd.Context(), people.New{ID: id, Name: name, Role: people.Role(role), PIN: pin}, by)
			return fmt.Sprintf("user %s added: %s, %s", id, name, role), err
		})
	u.addPIN(cmd)
	cmd.Flags().StringVar(&name, "name", "", "printed name, as it stands beside a signature")
	roleFlag(cmd, &role)
	required(cmd, "name", "role")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		_, err := people.ParseRole(role)
		return errors.Join(people.CheckName(name), err)
	}
	return cmd
}

func newUserDisableCommand() *cobra.Command {
	var u userFlags
	return u.verb("disable --config FILE ID", "Keep a person from signing",
		func(cmd *cobra.Command, s *people.Store, by people.By, id string) (string, error) {
			return fmt.Sprintf("user %s disabled", id), s.Disable(cmd.Context(), id, by)
		})
}

func newUserEnableCommand() *cobra.Command {
	var u userFlags
	return u.verb("enable --config FILE ID", "Let a disabled person sign again",
		func(cmd *cobra.Command, s *people.Store, by people.By, id string) (string, error) {
			return fmt.Sprintf("user %s enabled", id), s.Enable(cmd.Context(), id, by)
		})
}

func newUserPINCommand() *cobra.Command {
	var u userFlags
	cmd := u.verb("pin --config FILE [--pin-file FILE] ID", "Give a person a new PIN, and end a lock",
		func(cmd *cobra.Command, s *people.Store, by people.By, id string) (string, error) {
			pin, err := u.pin(cmd, id)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("user %s has a new PIN", id), s.SetPIN(cmd.Context(), id, pin, by)
		})
	u.addPIN(cmd)
	return cmd
}

func newUserRoleCommand() *cobra.Command {
	var u userFlags
	var role string
	cmd := u.verb("role --config FILE --role ROLE ID", "Give a person another role",
		func(cmd *cobra.Command, s *people.Store, by people.By, id string) (string, error) {
			return fmt.Sprintf("user %s is %s", id, role), s.SetRole(cmd.Context(), id, people.Role(role), by)
		})
	roleFlag(cmd, &role)
	required(cmd, "role")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		_, err := people.ParseRole(role)
		return err
	}
	return cmd
}

func roleFlag(cmd *cobra.Command, into *string) {
	var names []string
	for _, r := range people.Roles() {
		names = append(names, string(r))
	}
	cmd.Flags().StringVar(into, "role", "", strings.Join(names, ", "))
}

func newUserListCommand() *cobra.Command {
	var config string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --config FILE [--json]", Short: "List everybody, also who is disabled", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, store, err := openPeople(cmd, config)
			if err != nil {
				return err
			}
			return listPeople(cmd, store, time.Now(), asJSON)
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "settings of the gateway (gateway.yaml)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON array")
	required(cmd, "config")
	return cmd
}

func listPeople(cmd *cobra.Command, store *people.Store, now time.Time, asJSON bool) error {
	list, err := store.List(now)
	if err != nil {
		return exit{exitFound, err}
	}
	owed, err := store.Unrecorded()
	if err != nil {
		return exit{exitFound, err}
	}
	if len(owed) > 0 {
		if _, err := fmt.Fprintf(cmd.ErrOrStderr(), "not on the audit trail yet: %d; the gateway records them when it runs\n", len(owed)); err != nil {
			return err
		}
	}
	if asJSON {
		return writePeople(cmd.OutOrStdout(), list)
	}
	return tablePeople(cmd.OutOrStdout(), list)
}

func writePeople(w io.Writer, list []people.Person) error {
	if list == nil {
		list = []people.Person{} // [] and not null
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(list)
}

func tablePeople(w io.Writer, list []people.Person) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	lines := []string{"ID\tNAME\tROLE\tSTATE\tCREATED\tCHANGED"}
	for _, p := range list {
		lines = append(lines, strings.Join([]string{
			p.ID, p.Name, string(p.Role), stateOf(p), p.Created.Format(time.RFC3339), p.Changed.Format(time.RFC3339),
		}, "\t"))
	}
	if _, err := fmt.Fprintln(t, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return t.Flush()
}

// stateOf says in words whether a person can sign.
func stateOf(p people.Person) string {
	switch {
	case p.Disabled:
		return "disabled"
	case !p.LockedUntil.IsZero():
		return "locked until " + p.LockedUntil.Format(time.RFC3339)
	}
	return "active"
}

// openPeople opens the people of the gateway with these settings.
func openPeople(cmd *cobra.Command, config string) (dir string, store *people.Store, err error) {
	c, err := loadConfig(cmd, config)
	if err != nil {
		return "", nil, err
	}
	dir = c.Data.Dir
	store, err = people.Open(dir)
	if err != nil {
		return "", nil, exit{exitFound, err}
	}
	return dir, store, nil
}

// tellGateway has the running gateway record a change that is in force already.
// That it cannot is said and is no failure: the entry is owed, and kept.
func tellGateway(cmd *cobra.Command, dir string) error {
	// a gateway that hangs must not hang the command too
	ctx, cancel := context.WithTimeout(cmd.Context(), 10*time.Second)
	defer cancel()
	err := gateway.Ask(ctx, dir, gateway.AskPeople, io.Discard)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gateway.ErrNotRunning):
		_, err = fmt.Fprintln(cmd.ErrOrStderr(), "no gateway is running: it goes on the audit trail at the next start")
	default:
		_, err = fmt.Fprintf(cmd.ErrOrStderr(), "the change is in force; it is not on the audit trail yet, and will be at the next start at the latest: %v\n", err)
	}
	return err
}

// operatingBy says who is using this command: an account of the machine.
func operatingBy(reason string) people.By {
	name := fmt.Sprintf("uid %d", os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if sudo := os.Getenv("SUDO_USER"); sudo != "" && os.Geteuid() == 0 { // only root could have made it up
		name = sudo + " as " + name
	}
	return people.By{Who: "os:" + name, Terminal: terminal(), Reason: reason, At: time.Now()}
}

// terminal is the machine's name and where its user sits, as far as is known.
func terminal() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	if from, _, ok := strings.Cut(os.Getenv("SSH_CLIENT"), " "); ok {
		host += " from " + from
	}
	return host
}
