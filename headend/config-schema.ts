import {z} from 'zod';
import {listenSchema} from '#appliance/config/box-config-schema.ts';
import {prioritySchema} from '#appliance/contract/catalogue-schema.ts';
import {announcementEndpoint} from '#appliance/contract/gateway-session.ts';
import {ingestConfigSchema} from '#headend/ingest/ingest-config-schema.ts';
import {networkConfigSchema} from '#headend/network-config-schema.ts';
import {outputSchema} from '#headend/uplink/output-schema.ts';

const groupSchema = z.union([z.ipv4(), z.ipv6()]);
const portSchema = z.int().min(1).max(65_535);

const catalogueSchema = z.strictObject({
	directory: z
		.string()
		.min(1)
		.optional()
		.describe('Scanned and watched; its files are objects, referenced where they lie.'),
	directoryPriority: prioritySchema.exclude(['live']).default('medium').describe('Priority of files found there.'),
	directorySettleMs: z.int().min(100).default(1500).describe('A file is taken once it rested so long.'),
	directoryRescanMs: z.int().min(1000).default(30_000).describe('A full look, in case the watch missed something.'),
	objectsMax: z.int().min(1).default(200_000),
	objectBytesMax: z
		.int()
		.min(1)
		.default(16 * 2 ** 30),
	contentBytesMax: z
		.int()
		.min(1)
		.default(200 * 10 ** 9)
		.describe('What uploads may take on disk altogether.'),
	uploadsMax: z.int().min(1).max(1024).default(32).describe('Bodies received at the same time.'),
	partialUploadExpiryMs: z
		.int()
		.min(1000)
		.default(24 * 3_600_000)
		.describe('An unfinished upload is kept so long.'),
});

const fecSchema = z.strictObject({
	encodingId: z
		.union([z.literal(0), z.literal(5)])
		.default(5)
		.describe('0 = none, 5 = Reed-Solomon (RFC 5510).'),
	sourceBlockSymbolsMax: z.int().min(1).max(250).default(200).describe('k of id 5; k plus repair is at most 255.'),
	overheadPercent: z
		.number()
		.min(0)
		.max(100)
		.default(5)
		.describe('Repair symbols per hundred source symbols. 5 heals 1 % random loss; a fade is for repair by HTTP.'),
});

const uplinkSchema = z.strictObject({
	group: groupSchema.default('239.255.1.1'),
	port: portSchema.default(5001),
	carouselTsi: z.int().min(1).max(0xff_ff_ff_ff).default(1),
	liveTsi: z.int().min(1).max(0xff_ff_ff_ff).default(2),
	announcement: z
		.strictObject({
			group: groupSchema.default(announcementEndpoint.group),
			port: portSchema.default(announcementEndpoint.port),
			tsi: z.int().min(0).max(0xff_ff_ff_ff).default(announcementEndpoint.tsi),
		})
		.prefault({}),
	interfaceAddress: groupSchema.optional().describe('Leaves by this interface; absent = by the routing table.'),
	sourceAddress: groupSchema.optional().describe('Announced as the source for source-specific joins.'),
	ttl: z.int().min(0).max(255).default(16),
	portOffset: z.int().min(0).max(60_000).default(0).describe('Packets go to the advertised port plus this.'),
	rateBps: z
		.int()
		.min(10_000)
		.optional()
		.describe('IP layer. Absent = what network.satellite leaves for it: 59 of the 61.3 Mbit/s of the defaults.'),
	output: outputSchema,
	burstBytesMax: z.int().min(1500).default(65_536),
	symbolBytes: z.int().min(64).max(1400).default(1400).describe('Fits 1500 with IP, UDP, LCT and extensions.'),
	fec: fecSchema.prefault({}),
	fdtMd5: z.boolean().default(true).describe('Content-MD5 beside the SHA-256 digest, for older receivers.'),
	gzip: z.boolean().default(true).describe('Text objects travel compressed when that is smaller.'),
});

const carouselSchema = z.strictObject({
	cycleMs: z
		.int()
		.min(1000)
		.max(24 * 3_600_000)
		.default(3_600_000)
		.describe('Every object is sent once in it.'),
	shares: z
		.strictObject({
			high: z.number().min(0).max(1).default(0.5),
			medium: z.number().min(0).max(1).default(0.3),
			low: z.number().min(0).max(1).default(0.2),
		})
		.refine(({high, medium, low}) => high + medium + low <= 1.000_001, 'the shares must not exceed 1 together')
		.prefault({}),
	repeatsMax: z.int().min(1).max(64).default(8).describe('A high object is sent at most so often per round.'),
	minimumGapMs: z.int().min(0).default(2000).describe('An object rests so long before it is sent again.'),
	signallingIntervalMs: z.int().min(100).max(60_000).default(1000),
	liveReserveBps: z.int().min(0).default(0).describe('Kept free for live even before a channel is on.'),
});

const operatorSchema = z.strictObject({
	name: z.string().min(1).max(100).default('StreamVerse'),
	objectBaseUri: z
		.string()
		.regex(/^http:\/\/dvb\.gw\/([a-z0-9-]+\/)+$/u, 'must be http://dvb.gw/<operator>/')
		.default('http://dvb.gw/streamverse/'),
	language: z
		.string()
		.regex(/^[a-z]{2,3}$/u)
		.default('en'),
	country: z
		.string()
		.regex(/^[A-Z]{3}$/u)
		.optional()
		.describe('ISO 3166-1 alpha-3.'),
	tagAuthority: z.string().min(3).max(100).default('streamverse.example,2026').describe('Of tag: URIs (RFC 4151).'),
	webBaseUrl: z
		.url({protocol: /^https?$/u})
		.optional()
		.describe('Where the same paths are on the web; ends in /.'),
});

const repairSchema = z.strictObject({
	baseUrls: z
		.array(z.strictObject({url: z.url({protocol: /^https?$/u}), weight: z.int().min(1).max(1000).default(1)}))
		.max(16)
		.default([])
		.describe('Pop-nodes; each stands for operator.objectBaseUri.'),
	receptionTimeoutMs: z.int().min(100).default(2000),
	fixedBackOffMs: z.int().min(0).default(0),
	randomBackOffMs: z.int().min(0).default(1000),
});

/** The `headend:` section of a box's file. */
export const headendConfigSchema = z.strictObject({
	listen: listenSchema.prefault({port: 8080}),
	catalogue: catalogueSchema.prefault({}),
	ingest: ingestConfigSchema.prefault({}),
	uplink: uplinkSchema.prefault({}),
	carousel: carouselSchema.prefault({}),
	operator: operatorSchema.prefault({}),
	network: networkConfigSchema.prefault({}),
	repair: repairSchema.prefault({}),
});
export type HeadendConfig = z.infer<typeof headendConfigSchema>;
