/** What a box tells in replies, events and logs of its link; refusals of orders are in order-schema.ts. */
export const mqttErrorCodes = [
	'MQTT_COMMAND_BUSY',
	'MQTT_COMMAND_ARGUMENTS',
	'MQTT_COMMAND_DEADLINE',
	'MQTT_COMMAND_FAILED',
	'MQTT_COMMAND_INTERRUPTED',
	'MQTT_CONNECTION_LOST',
	'MQTT_CONNECT_FAILED',
	'MQTT_PAYLOAD_MALFORMED',
	'MQTT_PUBLISH_TIMEOUT',
	'MQTT_REPLY_TOO_LARGE',
	'MQTT_STREAM_UNKNOWN',
] as const;
export type MqttErrorCode = (typeof mqttErrorCodes)[number];
