import {z} from 'zod';
import {listenSchema} from '#appliance/config/box-config-schema.ts';
import {announcementEndpoint} from '#appliance/contract/gateway-session.ts';
import {tunerConfigSchema} from '#stb/tuner/tuner-config.ts';

const receiveSchema = z.strictObject({
	interfaceAddress: z
		.string()
		.max(64)
		.optional()
		.describe('Address of the interface that groups are joined on; absent = the kernel chooses by its routes.'),
	announcement: z
		.strictObject({
			group: z.string().max(64).default(announcementEndpoint.group),
			port: z.int().min(1).max(65_535).default(announcementEndpoint.port),
			tsi: z.int().min(0).default(announcementEndpoint.tsi),
		})
		.prefault({})
		.describe('The DVB-NIP announcement channel (TS 103 876 clause 8.2.2).'),
	objectIdleMs: z
		.int()
		.min(100)
		.max(600_000)
		.default(2000)
		.describe(
			'An object without a packet for so long has ended; what is missing is repaired then. A session’s own transportObjectReceptionTimeout outranks it.',
		),
	progressIntervalMs: z
		.int()
		.min(20)
		.max(10_000)
		.default(250)
		.describe('How often an arriving object tells its bytes.'),
	objectBytesMax: z.int().min(1).default(8_589_934_592).describe('A larger object is not received.'),
	objectsOpenMax: z.int().min(1).max(65_536).default(4096).describe('Objects that may arrive at the same time.'),
	receiveBufferBytes: z.int().min(65_536).default(8_388_608).describe('Socket buffer asked of the kernel.'),
});

const repairSchema = z.strictObject({
	enabled: z.boolean().default(true).describe('False for a box without a return path.'),
	fallbackBaseUrls: z
		.array(z.strictObject({url: z.url({protocol: /^https?$/u}), weight: z.number().min(0).max(1000).default(1)}))
		.max(16)
		.default([])
		.describe('Used when the gateway configuration names no base URL; each stands for objectBaseUri.'),
	budgetBytesPerHour: z
		.int()
		.min(0)
		.default(4_000_000_000)
		.describe('What repair in the background may fetch; a waiting player is served beyond it.'),
	requestsConcurrentMax: z.int().min(1).max(64).default(4).describe('Requests in the background at a time.'),
	waitingRequestsMax: z.int().min(1).max(64).default(8).describe('Requests for waiting players at a time.'),
	attemptsMax: z.int().min(1).max(100).default(6).describe('Rounds of requests for one object before it is given up.'),
	requestTimeoutMs: z.int().min(100).max(600_000).default(15_000).describe('A request without an end is cut off.'),
	gapBytes: z.int().min(0).default(10_240).describe('Two holes nearer than this are asked for as one.'),
	requestBytesMax: z.int().min(1024).default(8_388_608).describe('A longer hole is asked for in several requests.'),
	refetchRatio: z.number().min(0).max(1).default(0.8).describe('An object that lacks more than this is fetched whole.'),
	retryDelayMinMs: z.int().min(10).max(60_000).default(250),
	retryDelayMaxMs: z.int().min(10).max(3_600_000).default(30_000),
	waitingStallMs: z
		.int()
		.min(10)
		.max(10_000)
		.default(200)
		.describe('A player that waits so long for bytes whose transmission has passed has them fetched.'),
	waitingPatienceMs: z
		.int()
		.min(10)
		.max(60_000)
		.default(400)
		.describe('A player that waits so long for bytes not yet sent has them fetched.'),
	waitingTimeoutMs: z
		.int()
		.min(100)
		.max(600_000)
		.default(15_000)
		.describe('A player that gets no byte for so long is sent away, to ask again.'),
	waitingBackOffMs: z.int().min(0).max(1000).default(30).describe('Largest random delay of such a request.'),
	waitingRequestBytes: z.int().min(1024).default(262_144).describe('Bytes fetched ahead for a waiting player.'),
});

const cacheSchema = z.strictObject({
	budgetBytes: z.int().min(1_048_576).default(10_000_000_000).describe('What the cache may hold.'),
	objectExpiryMs: z
		.int()
		.min(1000)
		.default(86_400_000)
		.describe('An object that brings no expiry leaves the cache after this.'),
});

const serveSchema = z.strictObject({
	listen: listenSchema.prefault({host: '0.0.0.0', port: 8080}),
	dataPlane: z
		.enum(['node', 'nginx'])
		.default('nginx')
		.describe('Who sends the bytes of cached objects: this process, or an nginx that it runs.'),
});

/** The `stb:` section of a set-top's box file. */
export const stbConfigSchema = z.strictObject({
	objectBaseUri: z
		.url({protocol: /^https?$/u})
		.endsWith('/')
		.default('http://dvb.gw/streamverse/')
		.describe('The operator’s prefix of object URIs; ends with a slash.'),
	receive: receiveSchema.prefault({}),
	tuner: tunerConfigSchema
		.optional()
		.describe('The satellite tuner. Absent for a box that hears multicast of its network.'),
	repair: repairSchema.prefault({}),
	cache: cacheSchema.prefault({}),
	serve: serveSchema.prefault({}),
});
export type StbConfig = z.infer<typeof stbConfigSchema>;
