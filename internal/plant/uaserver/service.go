package uaserver

import (
	"errors"
	"time"

	"github.com/gopcua/opcua/ua"
)

// header is the header of an answer.
func header(handle uint32, code ua.StatusCode) *ua.ResponseHeader {
	return &ua.ResponseHeader{
		Timestamp:          time.Now(),
		RequestHandle:      handle,
		ServiceResult:      code,
		ServiceDiagnostics: &ua.DiagnosticInfo{},
		StringTable:        []string{},
		AdditionalHeader:   ua.NewExtensionObject(nil),
	}
}

// status is the status code that an error stands for.
func status(err error) ua.StatusCode {
	var code ua.StatusCode
	if errors.As(err, &code) {
		return code
	}
	return ua.StatusBadDecodingError
}

// fault answers a request as a whole with a bad status.
func fault(r ua.Request, code ua.StatusCode) ua.Response {
	return &ua.ServiceFault{ResponseHeader: header(r.Header().RequestHandle, code)}
}

// ok is the header of a good answer to r.
func ok(r ua.Request) *ua.ResponseHeader { return header(r.Header().RequestHandle, ua.StatusOK) }

// handle answers one request; mu is held. It returns nil when the answer comes
// later.
func (s *Server) handle(c *conn, m message) ua.Response {
	switch r := m.body.(type) {
	case *ua.FindServersRequest:
		return &ua.FindServersResponse{ResponseHeader: ok(r), Servers: []*ua.ApplicationDescription{s.application()}}
	case *ua.GetEndpointsRequest:
		return &ua.GetEndpointsResponse{ResponseHeader: ok(r), Endpoints: s.endpoints()}
	case *ua.CreateSessionRequest:
		return s.createSession(r)
	case *ua.ActivateSessionRequest:
		return s.activateSession(c, r)
	}
	ses, code := s.session(c, m.body)
	if code != ua.StatusOK {
		return fault(m.body, code)
	}
	return s.handleInSession(c, ses, m)
}

// handleInSession answers the requests that need an active session; mu is held.
func (s *Server) handleInSession(c *conn, ses *session, m message) ua.Response {
	switch r := m.body.(type) {
	case *ua.CloseSessionRequest:
		return s.closeSession(ses, r)
	case *ua.ReadRequest:
		return s.read(r)
	case *ua.BrowseRequest:
		return s.browse(r)
	case *ua.CreateSubscriptionRequest:
		return s.createSubscription(ses, r)
	case *ua.ModifySubscriptionRequest:
		return s.modifySubscription(ses, r)
	case *ua.SetPublishingModeRequest:
		return s.setPublishingMode(ses, r)
	case *ua.DeleteSubscriptionsRequest:
		return s.deleteSubscriptions(ses, r)
	case *ua.CreateMonitoredItemsRequest:
		return s.createItems(ses, r)
	case *ua.DeleteMonitoredItemsRequest:
		return s.deleteItems(ses, r)
	case *ua.SetMonitoringModeRequest:
		return s.setMonitoringMode(ses, r)
	case *ua.PublishRequest:
		return s.publish(c, ses, m.id, r)
	case *ua.RepublishRequest:
		return s.republish(ses, r)
	}
	return fault(m.body, ua.StatusBadServiceUnsupported)
}
