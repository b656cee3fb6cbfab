import GatewayTesting
import Testing
