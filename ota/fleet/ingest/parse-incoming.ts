import {z} from 'zod';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {replySchema} from '#appliance/contract/fleet/command-schema.ts';
import {presenceSchema} from '#appliance/contract/fleet/presence-schema.ts';
import {reportedSchema} from '#appliance/contract/fleet/reported-schema.ts';
import {eventSchema, telemetrySchema} from '#appliance/contract/fleet/spool-schema.ts';
import {type BoxTopicName, boxTopicNames, parseTopic, payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import type {Incoming, SpoolPlace} from '#ota/fleet/ingest/incoming.ts';

const reasonCharsMax = 500;
/** No schema of ours goes deeper. */
const depthMax = 32;
const decoder = new TextDecoder('utf-8', {fatal: true});

const placeSchema = z.object({
	epoch: z.string().min(1).max(64),
	sequence: z.int().min(1),
	after: z.int().min(0),
});

/** Undefined for a topic that is not a box's: nobody subscribes to those. Never throws, whatever a box sent. */
export const parseIncoming = (message: {
	readonly topic: string;
	readonly payload: Uint8Array;
}): Incoming | undefined => {
	const topic = parseTopic(message.topic);
	const box = deviceIdSchema.safeParse(topic?.deviceId);
	const [name, ...more] = topic?.levels ?? [];
	if (!(box.success && isBoxTopic(name)) || more.length > 0) {
		return undefined;
	}
	const malformed = (reason: string, place?: SpoolPlace): Incoming => ({
		kind: 'malformed',
		box: box.data,
		topic: name,
		reason: reason.slice(0, reasonCharsMax),
		place,
	});
	if (message.payload.byteLength > payloadBytesMax) {
		return malformed(`longer than ${payloadBytesMax} bytes`);
	}
	let json: unknown;
	try {
		json = parseJson(decoder.decode(message.payload));
	} catch {
		return malformed('not JSON in UTF-8');
	}
	if (isTooDeep(json)) {
		return malformed(`nested more than ${depthMax} times`, placeOf(name, json));
	}
	const parsed = parsers[name](box.data, json);
	return typeof parsed === 'string' ? malformed(parsed, placeOf(name, json)) : parsed;
};

/** A box's free JSON (a note, a result): whatever walks it must come back, here and wherever it is read again. */
const isTooDeep = (value: unknown, depth = 0): boolean =>
	typeof value === 'object' &&
	value !== null &&
	(depth >= depthMax || Object.values(value).some((inner) => isTooDeep(inner, depth + 1)));

/** PostgreSQL takes no NUL in a text, and what a crashed program printed may hold some. */
const parseJson = (text: string): unknown =>
	text.includes(String.raw`\u0000`)
		? JSON.parse(text, (_key, value: unknown) => (typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value))
		: JSON.parse(text);

const isBoxTopic = (name: string | undefined): name is BoxTopicName =>
	name !== undefined && (boxTopicNames as readonly string[]).includes(name);

const placeOf = (name: BoxTopicName, json: unknown): SpoolPlace | undefined => {
	const place = placeSchema.safeParse(json);
	return place.success && (name === 'telemetry' || name === 'event')
		? {topic: name, epoch: place.data.epoch, sequence: place.data.sequence, after: place.data.after}
		: undefined;
};

/** A text is the reason why it is malformed. */
const parsers: Readonly<Record<BoxTopicName, (box: DeviceId, json: unknown) => Incoming | string>> = {
	presence: (box, json) => {
		const {data, error} = presenceSchema.safeParse(json);
		return data === undefined ? z.prettifyError(error) : {kind: 'presence', box, presence: data};
	},
	reported: (box, json) => {
		const {data, error} = reportedSchema.safeParse(json);
		if (data === undefined) {
			return z.prettifyError(error);
		}
		return data.deviceId === box ? {kind: 'reported', box, reported: data} : 'it names another box';
	},
	telemetry: (box, json) => {
		const {data, error} = telemetrySchema.safeParse(json);
		return data === undefined ? z.prettifyError(error) : {kind: 'telemetry', box, telemetry: data};
	},
	event: (box, json) => {
		const {data, error} = eventSchema.safeParse(json);
		return data === undefined ? z.prettifyError(error) : {kind: 'event', box, event: data};
	},
	reply: (box, json) => {
		const {data, error} = replySchema.safeParse(json);
		return data === undefined ? z.prettifyError(error) : {kind: 'reply', box, reply: data};
	},
};
