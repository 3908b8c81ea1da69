package main

import (
	"github.com/spf13/cobra"

	"andon/internal/schema"
)

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema gateway|spec|events",
		Short: "Print a JSON Schema: of settings, specifications or events",
		Long: `schema prints a JSON Schema (draft 2020-12): gateway of gateway.yaml and spec of
specifications, for editors that complete and check while one types; events of what
is sent below up/quality and up/event, for who builds a receiver.`,
		Example: `  andon schema gateway > gateway.schema.json
  # in an editor with a YAML language server, the first line of gateway.yaml:
  # yaml-language-server: $schema=gateway.schema.json`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: schema.Names(),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := schema.Schema(args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(b)
			return err
		},
	}
}
