import {commandNames} from '#appliance/contract/fleet/command-schema.ts';
import {
	type ContractSchemaName,
	contractSchemas,
	jsonSchemaOf,
	schemaFileOf,
} from '#appliance/contract/fleet/contract-schemas.ts';
import {payloadBytesMax, topicRoot} from '#appliance/contract/fleet/topic.ts';

type Json = Readonly<Record<string, unknown>>;

type ChannelDescription = {
	/** Below `sv/1/{deviceId}/`. */
	readonly topic: string;
	readonly message: ContractSchemaName;
	/** As the box sees it. */
	readonly action: 'send' | 'receive';
	readonly retained?: boolean;
	readonly parameters?: Json;
	readonly description: string;
};

const streamParameters = {streamId: {description: 'Named by the command `open-stream`.'}};

const channels = {
	presence: {
		...{topic: 'presence', message: 'presence', action: 'send', retained: true},
		description: 'Online at each connection; offline is the session’s will, or said before a goodbye.',
	},
	reported: {
		...{topic: 'reported', message: 'reported', action: 'send', retained: true},
		description: 'Sent when it differs from what the broker last acknowledged.',
	},
	telemetry: {
		...{topic: 'telemetry', message: 'telemetry', action: 'send'},
		description: 'From the spool, in order; sent again until `acknowledged` covers it.',
	},
	event: {
		...{topic: 'event', message: 'event', action: 'send'},
		description: 'From the spool, in order; sent again until `acknowledged` covers it. Never dropped.',
	},
	reply: {
		...{topic: 'reply', message: 'reply', action: 'send'},
		description: 'Answers to commands; its correlation data is the id of the command’s order.',
	},
	streamOut: {
		...{topic: 'stream/{streamId}/out', message: 'stream-frame', action: 'send', parameters: streamParameters},
		description: 'Frames of a terminal or log stream, from the box.',
	},
	desired: {
		...{topic: 'desired', message: 'desired', action: 'receive', retained: true},
		description: 'The whole desired state as one signed order, and the rotations of the order key.',
	},
	acknowledged: {
		...{topic: 'acknowledged', message: 'acknowledged', action: 'receive'},
		description: 'What the fleet has in its database, and the box may forget.',
	},
	command: {
		...{topic: 'command/{name}', message: 'command', action: 'receive'},
		parameters: {name: {description: 'What is to be done.', enum: commandNames}},
		description: 'One signed order. The message expires with the order.',
	},
	streamIn: {
		...{topic: 'stream/{streamId}/in', message: 'stream-frame', action: 'receive', parameters: streamParameters},
		description: 'Frames of a terminal or log stream, to the box.',
	},
} as const satisfies Readonly<Record<string, ChannelDescription>>;

const mapValues = <Value, Result>(
	values: Readonly<Record<string, Value>>,
	map: (value: Value, name: string) => Result,
): Readonly<Record<string, Result>> =>
	Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value, name)]));

const messageName = (schema: string): string =>
	schema.replaceAll(/-([a-z])/gu, (_, letter: string) => letter.toUpperCase());

const channelOf = ({topic, message, description, parameters}: ChannelDescription): Json => ({
	address: `${topicRoot}/{deviceId}/${topic}`,
	description,
	messages: {[messageName(message)]: {$ref: `#/components/messages/${messageName(message)}`}},
	parameters: {deviceId: {$ref: '#/components/parameters/deviceId'}, ...parameters},
});

const operationOf = ({action, retained = false, message}: ChannelDescription, name: string): Json => ({
	action,
	channel: {$ref: `#/channels/${name}`},
	messages: [{$ref: `#/channels/${name}/messages/${messageName(message)}`}],
	bindings: {mqtt: {qos: 1, retain: retained, bindingVersion: '0.2.0'}},
	...(name === 'command'
		? {reply: {channel: {$ref: '#/channels/reply'}, messages: [{$ref: '#/channels/reply/messages/reply'}]}}
		: {}),
});

/** AsyncAPI 3 of the link, as a box sees it: it sends what an operation `send`s. Made from the schemas alone. */
export const asyncApiDocument = (): Json => ({
	asyncapi: '3.0.0',
	info: {
		title: 'StreamVerse Edge: a box and its fleet',
		version: '1.0.0',
		description: `MQTT 5 over mutual TLS. Payloads are UTF-8 JSON of at most ${payloadBytesMax} bytes. A box publishes and subscribes only below its own prefix. Orders are compact JWS (ES256) whose claims are in ${schemaFileOf('order-claims')}; arguments of commands are in ${schemaFileOf('command-arguments')}.`,
	},
	defaultContentType: 'application/json',
	servers: {
		broker: {
			host: '{host}',
			protocol: 'mqtts',
			protocolVersion: '5.0',
			description: 'Named by `brokerUrl` of the box’s claim.',
			variables: {host: {description: 'Host and port of the broker.', default: 'fleet.example:8883'}},
			security: [{$ref: '#/components/securitySchemes/certificate'}],
			bindings: {
				mqtt: {
					clientId: '{deviceId}',
					cleanSession: false,
					lastWill: {topic: `${topicRoot}/{deviceId}/presence`, qos: 1, retain: true},
					bindingVersion: '0.2.0',
				},
			},
		},
	},
	channels: mapValues<ChannelDescription, Json>(channels, channelOf),
	operations: mapValues<ChannelDescription, Json>(channels, operationOf),
	components: {
		messages: Object.fromEntries(
			[...new Set(Object.values(channels).map(({message}) => message))].map((message) => [
				messageName(message),
				{
					title: contractSchemas[message].title,
					contentType: 'application/json',
					payload: {
						schemaFormat: 'application/schema+json;version=draft-07',
						schema: {$ref: `./${schemaFileOf(message)}`},
					},
				},
			]),
		),
		parameters: {deviceId: {description: 'Lower-case; 3 to 64 of a-z, 0-9 and -; the CN of the box’s certificate.'}},
		securitySchemes: {certificate: {type: 'X509', description: 'The box’s certificate from the fleet’s authority.'}},
	},
});

/** The generated files of this folder, by their path in it. */
export const contractFiles = (): ReadonlyMap<string, string> => {
	const text = (json: unknown): string => `${JSON.stringify(json, undefined, '\t')}\n`;
	const names = Object.keys(contractSchemas) as ContractSchemaName[];
	return new Map([
		['asyncapi.json', text(asyncApiDocument())],
		...names.map((name) => [schemaFileOf(name), text(jsonSchemaOf(name))] as const),
	]);
};
