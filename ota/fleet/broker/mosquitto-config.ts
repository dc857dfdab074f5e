import {join} from 'node:path';
import {
	boxTopicNames,
	fleetTopicNames,
	payloadBytesMax,
	retainedTopicNames,
	topicRoot,
} from '#appliance/contract/fleet/topic.ts';
import type {MosquittoBrokerConfig} from '#ota/fleet/broker/broker-config.ts';

/** A PUBLISH is its payload, its topic and its properties. */
const packetBytesMax = payloadBytesMax + 8 * 1024;
/**
 * Messages under way to one client, beyond what it says itself (receive maximum), and waiting for one. mosquitto knows
 * one limit for all, and drops what is beyond it without a word: it must hold what a whole fleet says at once when it
 * comes back to a fleet server. To boxes only the fleet writes, whose commands expire.
 */
const inflightMax = 4096;
const queuedMessagesMax = 200_000;
const queuedBytesShare = 1 / 2;
const keepaliveSecondsMax = 1200;
/** A session whose box does not come back within it is forgotten; desired and reported state is retained anyhow. */
const sessionDaysMax = 14;
const autosaveSeconds = 60;

/** Every fleet server's CN: no box can have it, because of the underscore. */
export const serverCommonName = '_fleet';

export const brokerFileNames = {
	config: 'mosquitto.conf',
	boxAccess: 'box-access.conf',
	serverAccess: 'server-access.conf',
	chain: 'chain.pem',
	serverChain: 'server-authority.pem',
	certificate: 'certificate.pem',
	key: 'key.pem',
	revocations: 'revocations.pem',
} as const;

/** `%u` is the CN of the certificate: a box says and hears only what is its own (design.md section 4). */
export const boxAccessRules = (): string =>
	[
		...boxTopicNames.map((name) => `pattern write ${topicRoot}/%u/${name}`),
		`pattern write ${topicRoot}/%u/stream/+/out`,
		...fleetTopicNames.map((name) => `pattern read ${topicRoot}/%u/${name}`),
		`pattern read ${topicRoot}/%u/command/+`,
		`pattern read ${topicRoot}/%u/stream/+/in`,
		'',
	].join('\n');

/** What a box subscribes to, letter by letter, and what it retains: bounded by count, where the rules above are not. */
const guardRules = (): readonly string[] => [
	...fleetTopicNames.map((name) => `subscribe ${topicRoot}/%u/${name}`),
	`subscribe ${topicRoot}/%u/command/+`,
	`subscribe ${topicRoot}/%u/stream/+/in`,
	...retainedTopicNames.map((name) => `retain ${topicRoot}/%u/${name}`),
];

/** What servers tell each other is below `sv/fleet`, which no box may read. */
export const serverAccessRules = (): string =>
	[
		`user ${serverCommonName}`,
		`topic readwrite ${topicRoot}/#`,
		'topic readwrite sv/fleet/#',
		'topic read $SYS/#',
		'',
	].join('\n');

/**
 * Two listeners, because two rules of mosquitto are per listener: a box's client id is its CN, so that no box can take
 * the session of another by calling itself so (MQTT 5 section 3.1.4 closes the older connection of an id); and servers,
 * which share one CN and have ids of their own, verify by an authority that certifies nobody else, so that no box
 * reaches the listener where any id may be taken.
 */
export const mosquittoConfig = (options: {
	readonly directory: string;
	readonly config: MosquittoBrokerConfig;
	readonly ports: {readonly box: number; readonly server: number};
	readonly user: string;
	/** mosquitto's plugin that bounds what a box retains and subscribes to (native/broker). */
	readonly guard: string | undefined;
}): string => {
	const {directory, config, ports, user, guard} = options;
	const file = (name: keyof typeof brokerFileNames): string => join(directory, brokerFileNames[name]);
	const listener = (lines: readonly string[]): readonly string[] => [
		...lines,
		'allow_anonymous false',
		'require_certificate true',
		'use_identity_as_username true',
		'tls_version tlsv1.2',
		`certfile ${file('certificate')}`,
		`keyfile ${file('key')}`,
		'max_qos 1',
	];
	return [
		'per_listener_settings true',
		`user ${user}`,
		'log_dest stdout',
		'log_timestamp false',
		...['error', 'warning', 'notice', 'information'].map((type) => `log_type ${type}`),
		'connection_messages false',
		'persistence true',
		`persistence_location ${directory}/`,
		`autosave_interval ${autosaveSeconds}`,
		`persistent_client_expiration ${sessionDaysMax}d`,
		`max_packet_size ${packetBytesMax}`,
		`max_inflight_messages ${inflightMax}`,
		`max_queued_messages ${queuedMessagesMax}`,
		`max_queued_bytes ${Math.floor(config.memoryBytesMax * queuedBytesShare)}`,
		`max_keepalive ${keepaliveSecondsMax}`,
		`memory_limit ${config.memoryBytesMax}`,
		'set_tcp_nodelay true',
		'sys_interval 10',
		'',
		...listener([
			`listener ${ports.box} ${config.host}`,
			`max_connections ${config.connectionsMax}`,
			'use_username_as_clientid true',
			`cafile ${file('chain')}`,
			`crlfile ${file('revocations')}`,
			`acl_file ${file('boxAccess')}`,
			...(guard === undefined ? [] : [`plugin ${guard}`, ...guardRules().map((rule) => `plugin_opt_${rule}`)]),
		]),
		'',
		...listener([
			`listener ${ports.server} ${config.serverHost}`,
			`cafile ${file('serverChain')}`,
			`acl_file ${file('serverAccess')}`,
		]),
		'',
	].join('\n');
};
