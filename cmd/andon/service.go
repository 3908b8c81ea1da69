package main

import (
	"fmt"

	"github.com/coreos/go-systemd/v22/daemon"

	"andon/internal/gateway"
)

// underService lets the service manager hear how the gateway does, where one
// has started it and wants to (systemd's Type=notify).
func underService(o *gateway.Options) error {
	watchdog, err := daemon.SdWatchdogEnabled(true)
	if err != nil {
		return exit{exitUsage, fmt.Errorf("service manager: %w", err)}
	}
	o.Watchdog = watchdog
	o.Notify = func(state string) error {
		_, err := daemon.SdNotify(false, state) // false, nil: nobody wants to hear it
		return err
	}
	return nil
}
