import type {IngestBatch} from '#ota/fleet/fleet-part.ts';

export const telemetryTopic = 'appliance-telemetry';
export const eventTopic = 'appliance-event';
export const qoeTopic = 'qoe-metrics';
export const bridgeTopics = [telemetryTopic, eventTopic, qoeTopic] as const;
export type BridgeTopic = (typeof bridgeTopics)[number];

/** One record of Kafka: its key is the box, so that what one box said stays in its order. */
export type BoxMessage = {
	readonly topic: BridgeTopic;
	readonly box: string;
	/** `<box>/<epoch>/<topic>/<sequence>`: the same however often the record is sent. */
	readonly messageId: string;
	readonly payload: string;
};

/** What a batch means to Kafka's readers: JSON whose fields are those of spool-schema.ts, with the box beside them. */
export const boxMessagesOf = (batch: IngestBatch): readonly BoxMessage[] => [
	...batch.telemetry.map(
		({box, telemetry: {epoch, sequence, samples}}): BoxMessage => ({
			topic: telemetryTopic,
			box,
			messageId: `${box}/${epoch}/telemetry/${sequence}`,
			payload: JSON.stringify({version: 1, box, epoch, sequence, samples}),
		}),
	),
	...batch.events.map(
		({box, event: {epoch, sequence, atMs, severity, event}}): BoxMessage => ({
			topic: event.kind === 'qoe' ? qoeTopic : eventTopic,
			box,
			messageId: `${box}/${epoch}/event/${sequence}`,
			payload: JSON.stringify({version: 1, box, epoch, sequence, atMs, severity, kind: event.kind, data: event.data}),
		}),
	),
];
