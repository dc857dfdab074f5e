import type {DeviceId} from '#appliance/contract/box-schema.ts';

/** The first two levels of every topic: the product and the version of this contract. */
export const topicRoot = 'sv/1';

/** A payload larger than this is refused by the broker and by both ends. */
export const payloadBytesMax = 256 * 1024;

/** What a box publishes (design.md section 4). */
export const boxTopicNames = ['presence', 'reported', 'telemetry', 'event', 'reply'] as const;
export type BoxTopicName = (typeof boxTopicNames)[number];

/** Of these the broker keeps the last one. */
export const retainedTopicNames: readonly BoxTopicName[] = ['presence', 'reported'];

/** What the fleet publishes to one box. `acknowledged` ends the life of a spooled record: the database has it. */
export const fleetTopicNames = ['desired', 'acknowledged'] as const;
export type FleetTopicName = (typeof fleetTopicNames)[number];

export const boxTopic = (deviceId: DeviceId, name: BoxTopicName | FleetTopicName): string =>
	`${topicRoot}/${deviceId}/${name}`;

export const commandTopic = (deviceId: DeviceId, commandName: string): string =>
	`${topicRoot}/${deviceId}/command/${commandName}`;

/** `in` flows to the box, `out` from it. */
export const streamTopic = (deviceId: DeviceId, streamId: string, direction: 'in' | 'out'): string =>
	`${topicRoot}/${deviceId}/stream/${streamId}/${direction}`;

export type ParsedTopic = {readonly deviceId: string; readonly levels: readonly string[]};

/** `sv/1/<deviceId>/<levels…>`; undefined for a topic that is not of this contract. The id is not validated here. */
export const parseTopic = (topic: string): ParsedTopic | undefined => {
	const [product, version, deviceId, ...levels] = topic.split('/');
	return `${product}/${version}` === topicRoot && deviceId !== undefined && levels.length > 0
		? {deviceId, levels}
		: undefined;
};
