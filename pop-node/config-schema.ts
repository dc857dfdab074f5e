import {z} from 'zod';
import {listenSchema} from '#appliance/config/box-config-schema.ts';

const ingestSchema = z.strictObject({
	downloadsMax: z.int().min(1).max(64).default(4).describe('Objects downloaded from the headend at a time.'),
	objectBytesMax: z
		.int()
		.min(1)
		.default(64 * 1024 ** 3)
		.describe('A larger object is refused, whatever the headend says.'),
	answerTimeoutMs: z.int().min(100).max(300_000).default(5000).describe('Wait for the first byte of an answer.'),
	bytesPerSecondMin: z
		.int()
		.min(1)
		.default(64 * 1024)
		.describe('A slower download is cut off and resumed later.'),
	feedIdleMs: z.int().min(100).max(3_600_000).default(60_000).describe('A feed so long silent is opened anew.'),
	retryDelayMinMs: z.int().min(10).max(60_000).default(500),
	retryDelayMaxMs: z.int().min(10).max(3_600_000).default(30_000),
});

const repairSchema = z.strictObject({
	requestsPerSecond: z.number().positive().default(200).describe('Allowed to one client address in the long run.'),
	requestsBurst: z.int().min(1).default(1000).describe('Allowed to one client address at once, after a fade.'),
	clientsMax: z.int().min(1).default(100_000).describe('Client addresses remembered; the longest silent goes first.'),
	pullTimeoutMs: z.int().min(100).max(60_000).default(4500).describe('A client waits so long for an object we lack.'),
	passThroughBytesMin: z
		.int()
		.min(1)
		.default(4 * 1024 ** 2)
		.describe('An object this large that is not here yet is served while it comes; smaller ones are waited for.'),
	passThroughsMax: z
		.int()
		.min(1)
		.max(10_000)
		.default(64)
		.describe('Answers at a time from objects that are not here yet.'),
	growthTimeoutMs: z
		.int()
		.min(10)
		.max(60_000)
		.default(1000)
		.describe('A download that stands still so long is not waited for; the headend is asked for the bytes.'),
	revalidateIntervalMs: z.int().min(0).max(60_000).default(500).describe('Least time between two looks at one object.'),
});

/** The `pop-node:` section of the box's file. */
export const popNodeConfigSchema = z.strictObject({
	headendUrl: z.url({protocol: /^https?$/u}).describe('The headend whose catalogue is followed.'),
	objectBaseUri: z
		.url({protocol: /^https?$/u})
		.endsWith('/')
		.default('http://dvb.gw/streamverse/')
		.describe('Objects are served below the path of this URI.'),
	listen: listenSchema.prefault({port: 8082}),
	store: z
		.strictObject({
			budgetBytes: z
				.int()
				.min(1)
				.default(100 * 1024 ** 3)
				.describe('Bytes of objects kept on disk.'),
		})
		.prefault({}),
	ingest: ingestSchema.prefault({}),
	repair: repairSchema.prefault({}),
	accessLog: z
		.strictObject({
			fileBytesMax: z
				.int()
				.min(1024)
				.default(16 * 1024 ** 2),
			filesMax: z.int().min(1).max(100).default(4).describe('Files kept, the one being written included.'),
		})
		.prefault({}),
});
export type PopNodeConfig = z.infer<typeof popNodeConfigSchema>;
