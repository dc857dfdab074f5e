import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {captureBytesMax, captureSecondsMax} from '#appliance/contract/fleet/command-schema.ts';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {streamFrameSchema} from '#appliance/contract/fleet/stream-schema.ts';
import {logLevels} from '#appliance/log/logger.ts';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';

/** A bundle is a `.tar.gz`, a capture a `.pcap`, a recording of a terminal or log an asciicast v2 (`.cast`). */
export const diagnosticsKinds = ['bundle', 'capture', 'recording'] as const;
export const diagnosticsStates = ['requested', 'receiving', 'ready', 'failed'] as const;

export const diagnosticsIdSchema = z.string().regex(/^[a-z0-9-]{8,64}$/u);

export const diagnosticsItemSchema = z.object({
	id: diagnosticsIdSchema,
	box: deviceIdSchema,
	kind: z.enum(diagnosticsKinds),
	state: z.enum(diagnosticsStates),
	/** Of the account that asked for it. */
	actor: z.string(),
	createdMs: z.int(),
	readyMs: z.int().nullable(),
	/** What has arrived so far. */
	sizeBytes: z.int().min(0),
	fileName: z.string(),
	error: reasonSchema.nullable(),
	/** When it is deleted. */
	expiresMs: z.int(),
});
export type DiagnosticsItem = z.infer<typeof diagnosticsItemSchema>;

/** GET /diagnostics, newest first (viewer). */
export const diagnosticsQuerySchema = pageQuerySchema.extend({
	box: deviceIdSchema.optional(),
	kind: z.enum(diagnosticsKinds).optional(),
});
export const diagnosticsPageSchema = pageOf(diagnosticsItemSchema);

/** POST /boxes/{id}/diagnostics (operator); answers 202 with the item that is to come. */
export const diagnosticsRequestSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('bundle'), deadlineMs: z.int().min(1000).max(600_000).default(60_000)}),
	z.strictObject({
		kind: z.literal('capture'),
		interface: z.string().regex(/^[\w.-]{1,15}$/u),
		filter: z.string().max(512).default(''),
		seconds: z.int().min(1).max(captureSecondsMax).default(10),
		bytesMax: z
			.int()
			.min(1024)
			.max(captureBytesMax)
			.default(8 * 1024 ** 2),
	}),
]);
export type DiagnosticsRequest = z.infer<typeof diagnosticsRequestSchema>;

// GET /diagnostics/{itemId}/content: the bytes (operator; recordings: admin). DELETE /diagnostics/{itemId} (admin).

/** How long a stream outlives a lost link, of the browser or of the box, before it is ended. */
export const streamResumeMs = 60_000;

const dimensions = {
	columns: z.coerce.number().int().min(20).max(500).default(80),
	rows: z.coerce.number().int().min(5).max(200).default(24),
};

/**
 * WebSocket `/api/v1/boxes/{id}/streams?…` (operator; an elevated terminal: admin), subprotocol `streamverse.stream.v1`.
 * The query opens a stream, or takes one up again after a lost connection with the token of `opened`.
 */
export const streamSubprotocol = 'streamverse.stream.v1';
export const streamQuerySchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('terminal'), ...dimensions, elevated: z.enum(['true', 'false']).default('false')}),
	z.strictObject({
		kind: z.literal('log'),
		service: z
			.string()
			.regex(/^[a-z0-9-]{1,64}$/u)
			.optional(),
		levelMin: z.enum(logLevels).optional(),
		contains: z.string().max(256).optional(),
		tail: z.coerce.number().int().min(0).max(1000).default(100),
	}),
	z.strictObject({
		kind: z.literal('resume'),
		token: z.string().min(16).max(128),
		/** The last `data` sequence that the page has shown; the box sends what follows. */
		after: z.coerce.number().int().min(0),
	}),
]);
export type StreamQuery = z.infer<typeof streamQuerySchema>;

/**
 * Each WebSocket message is one JSON text. From the server: `opened` once at the begin of each connection, then frames:
 * `data` of the box (the page writes it, and answers `ack` with its sequence once xterm.js has drawn it: without
 * acknowledgements the box stops after windowCharsMax characters), `ack` of what the page typed, and `close`, after
 * which nothing follows. To the server: `data` (typed; numbered from 1 over the whole life of the stream, not of the
 * connection; at most frameCharsMax characters each), `ack`, `resize`, `close`. After a resume the page sends again all
 * its `data` that was not acknowledged; the box drops what it has had.
 */
export const streamMessageSchema = z.discriminatedUnion('kind', [
	z.object({
		kind: z.literal('opened'),
		streamId: z.string(),
		/** For `?kind=resume`, within `resumeMs` of losing the connection. */
		token: z.string(),
		resumeMs: z.int(),
		/** The last typed sequence that the box has acknowledged. */
		acknowledged: z.int().min(0),
	}),
	...streamFrameSchema.options,
]);
export type StreamMessage = z.infer<typeof streamMessageSchema>;
