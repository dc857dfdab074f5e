import {z} from 'zod';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {logLevels} from '#appliance/log/logger.ts';

const none = z.strictObject({});
const serviceName = z.string().regex(/^[a-z0-9-]{1,64}$/u);

/** The most that a capture may take; the box ends it at whichever comes first. */
export const captureSecondsMax = 60;
export const captureBytesMax = 64 * 1024 ** 2;

/** What a box can be asked to do, and the arguments of each. */
export const commandArguments = {
	reboot: z.strictObject({delayMs: z.int().min(0).max(3_600_000).default(0)}),
	'restart-service': z.strictObject({service: serviceName}),
	'reload-config': none,
	'collect-diagnostics': z.strictObject({
		uploadUrl: z.url({protocol: /^https$/u}),
		deadlineMs: z.int().min(1000).max(600_000).default(60_000),
	}),
	'set-log-level': z.strictObject({
		level: z.enum(logLevels),
		forMs: z.int().min(1000).max(86_400_000).default(3_600_000),
	}),
	ping: z.strictObject({host: z.string().max(253).optional(), count: z.int().min(1).max(20).default(4)}),
	'speed-test': z.strictObject({
		url: z.url({protocol: /^https$/u}),
		bytesMax: z
			.int()
			.min(1024)
			.max(256 * 1024 ** 2),
	}),
	'capture-packets': z.strictObject({
		uploadUrl: z.url({protocol: /^https$/u}),
		interface: z.string().regex(/^[\w.-]{1,15}$/u),
		/** A pcap filter expression, given to tcpdump as one argument. */
		filter: z.string().max(512).default(''),
		seconds: z.int().min(1).max(captureSecondsMax).default(10),
		bytesMax: z
			.int()
			.min(1024)
			.max(captureBytesMax)
			.default(8 * 1024 ** 2),
	}),
	'read-signal': none,
	'purge-cache': z.strictObject({uriPrefix: z.string().max(1024).default('')}),
	identify: z.strictObject({seconds: z.int().min(1).max(300).default(30)}),
	'open-stream': z.strictObject({
		streamId: z.string().regex(/^[a-z0-9-]{8,64}$/u),
		stream: z.discriminatedUnion('kind', [
			z.strictObject({
				kind: z.literal('terminal'),
				columns: z.int().min(20).max(500),
				rows: z.int().min(5).max(200),
				elevated: z.boolean().default(false),
				idleTimeoutMs: z.int().min(10_000).max(3_600_000),
				totalTimeoutMs: z.int().min(10_000).max(28_800_000),
			}),
			z.strictObject({
				kind: z.literal('log'),
				service: serviceName.optional(),
				levelMin: z.enum(logLevels).optional(),
				contains: z.string().max(256).optional(),
				/** Lines of the past to begin with. */
				tail: z.int().min(0).max(1000).default(100),
			}),
		]),
	}),
} as const;

export type CommandName = keyof typeof commandArguments;
export const commandNames = Object.keys(commandArguments) as [CommandName, ...CommandName[]];
export const commandNameSchema = z.enum(commandNames);
export type CommandArguments<Name extends CommandName> = z.infer<(typeof commandArguments)[Name]>;

/** Topic `command/<name>`; MQTT 5 response topic and correlation data (= the order's `jti`) are set. */
export const commandSchema = z.object({version: z.literal(1), order: z.string()});

/** Topic `reply`. A command that takes long answers `accepted`, then `progress`, then one of the last three. */
export const replySchema = z.object({
	version: z.literal(1),
	/** The `jti` of the command's order. */
	id: z.string().max(64),
	state: z.enum(['accepted', 'progress', 'done', 'failed', 'refused']),
	atMs: z.int(),
	/** 0 to 1. */
	progress: z.number().min(0).max(1).optional(),
	result: z.json().optional(),
	error: reasonSchema.optional(),
});
export type Reply = z.infer<typeof replySchema>;
