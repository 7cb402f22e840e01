"""Records in, a bill out: metering and pricing know no queues."""
