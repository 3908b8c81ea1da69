package modbus

import (
	"context"
	"errors"
	"fmt"
	"os"

	goburrow "github.com/goburrow/modbus"
)

// Statuses of readings whose read failed.
const (
	StatusTimeout = "timeout"         // no whole answer in time
	StatusLink    = "connection_lost" // the connection ended before the answer
	// Answers that were not the answer to what was asked. The connection is closed
	// then, since nothing that still comes on it can be trusted.
	StatusTransaction = "wrong_transaction"
	StatusProtocol    = "wrong_protocol"
	StatusUnit        = "wrong_unit"
	StatusFunction    = "wrong_function"
	StatusLength      = "wrong_length"     // of the frame
	StatusByteCount   = "wrong_byte_count" // other than what was asked for
)

// exceptions are a device's own words for why it refuses a read, as statuses.
// (MODBUS Application Protocol Specification V1.1b3, section 7.)
var exceptions = map[byte]string{
	goburrow.ExceptionCodeIllegalFunction:                    "illegal_function",
	goburrow.ExceptionCodeIllegalDataAddress:                 "illegal_data_address",
	goburrow.ExceptionCodeIllegalDataValue:                   "illegal_data_value",
	goburrow.ExceptionCodeServerDeviceFailure:                "server_device_failure",
	goburrow.ExceptionCodeAcknowledge:                        "acknowledge",
	goburrow.ExceptionCodeServerDeviceBusy:                   "server_device_busy",
	goburrow.ExceptionCodeMemoryParityError:                  "memory_parity_error",
	goburrow.ExceptionCodeGatewayPathUnavailable:             "gateway_path_unavailable",
	goburrow.ExceptionCodeGatewayTargetDeviceFailedToRespond: "gateway_target_no_response",
}

// Exception is a device's refusal of a read. It is a whole and right answer: the
// connection goes on.
type Exception struct {
	Code byte
}

// Status is the refusal's name, as in illegal_data_address, or exception_N.
func (e *Exception) Status() string {
	if name, ok := exceptions[e.Code]; ok {
		return name
	}
	return fmt.Sprintf("exception_%d", e.Code)
}

// Error says it to people.
func (e *Exception) Error() string {
	return fmt.Sprintf("the device refuses: exception %d, %s", e.Code, e.Status())
}

// aboutAddress: one of several addresses may be what the device refuses.
func (e *Exception) aboutAddress() bool {
	return e.Code == goburrow.ExceptionCodeIllegalDataAddress || e.Code == goburrow.ExceptionCodeIllegalDataValue
}

// refusal is our own: what came is not the answer to what was asked.
type refusal struct {
	status string
	detail string
}

func (r *refusal) Error() string { return "answer refused: " + r.status + ": " + r.detail }

func refuse(status, format string, args ...any) error {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// statusOf is the status of readings whose read failed with err.
func statusOf(err error) string {
	var e *Exception
	var r *refusal
	switch {
	case errors.As(err, &e):
		return e.Status()
	case errors.As(err, &r):
		return r.status
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return StatusTimeout
	}
	return StatusLink
}
