import {z} from 'zod';
import {deliverySystems, polarizations, universalLnb} from '#native/dvb/tuner.ts';

const khz = z.int().min(1).max(100_000_000);
const waitMs = z.int().min(100).max(3_600_000);

export const carrierSchema = z.strictObject({
	system: z.enum(deliverySystems).default('DVB-S2'),
	frequencyKhz: khz.describe('Of the carrier as it comes from the satellite, in kHz.'),
	polarization: z.enum(polarizations),
	symbolRate: z.int().min(100_000).max(500_000_000).describe('Symbols per second.'),
	modulation: z.string().max(16).optional().describe('Such as 8PSK; absent = the demodulator finds out.'),
	codeRate: z.string().max(8).optional().describe('Such as 3/4; absent = the demodulator finds out.'),
	rollOff: z.enum(['0.35', '0.25', '0.20', '0.15', '0.10', '0.05']).optional(),
	pilot: z.enum(['on', 'off']).optional(),
	inputStream: z.int().min(0).max(255).optional().describe('ISI of a carrier with several streams.'),
	plsIndex: z.int().min(0).max(262_142).optional().describe('Gold sequence of the physical layer’s scrambling.'),
});

const antennaSchema = z.strictObject({
	lnb: z
		.strictObject({
			lowKhz: khz.default(universalLnb.lowKhz),
			highKhz: z.int().min(0).max(100_000_000).default(universalLnb.highKhz).describe('0 for an LNB of one band.'),
			switchKhz: z.int().min(0).max(100_000_000).default(universalLnb.switchKhz),
		})
		.prefault({})
		.describe('Oscillators of the LNB in kHz; by default those of the universal one.'),
	committed: z.int().min(0).max(3).optional().describe('Port of a DiSEqC 1.0 switch.'),
	uncommitted: z.int().min(0).max(15).optional().describe('Port of a DiSEqC 1.1 switch.'),
	toneBurst: z.enum(['a', 'b']).optional(),
	unicable: z
		.strictObject({
			standard: z.enum(['EN 50494', 'EN 50607']),
			userBand: z.int().min(0).max(31),
			frequencyKhz: khz.describe('Of the user band’s middle, in kHz.'),
			position: z.int().min(0).max(63).default(0),
			pin: z.int().min(0).max(255).optional(),
		})
		.optional()
		.describe('The user band of a single cable, whose message takes the place of the switches’.'),
});

const sourceSchema = z.discriminatedUnion('kind', [
	z.strictObject({
		kind: z.literal('kernel'),
		adapter: z.int().min(0).max(255).default(0),
		frontend: z.int().min(0).max(255).default(0),
		demux: z.int().min(0).max(255).default(0),
	}),
	z.strictObject({
		kind: z.literal('file'),
		format: z.enum(['ts', 'bbframe']).default('ts'),
		path: z.string().min(1),
		bitrateBps: z.int().min(1000).max(1_000_000_000).optional().describe('Absent = as fast as it goes.'),
		repeat: z.boolean().default(false),
	}),
	z.strictObject({
		kind: z.literal('udp'),
		format: z.enum(['ts', 'bbframe']).default('ts'),
		group: z.string().max(64),
		port: z.int().min(1).max(65_535),
		source: z.string().max(64).optional(),
		interfaceAddress: z.string().max(64).optional(),
	}),
]);

/** The `stb: tuner:` section. Absent for a box whose satellite comes over the network. */
export const tunerConfigSchema = z.strictObject({
	source: sourceSchema.prefault({kind: 'kernel'}).describe('The tuner: a device, a recording, or a gateway’s feed.'),
	antenna: antennaSchema.prefault({}),
	carriers: z
		.array(carrierSchema)
		.max(64)
		.default([])
		.describe('Tried in this order, before what networks tell of; a bare dish needs one carrier of its satellite.'),
	networkId: z
		.int()
		.min(1)
		.max(65_280)
		.optional()
		.describe('NIPNetworkID of the operator; absent = the first network that announces itself.'),
	serviceIds: z
		.array(z.int().min(1).max(65_535))
		.max(32)
		.optional()
		.describe('Services of the transport stream that carry our IP; absent = all.'),
	carriage: z
		.discriminatedUnion('kind', [
			z.strictObject({kind: z.literal('user')}),
			z.strictObject({
				kind: z.literal('kernel'),
				pid: z.int().min(0).max(8190),
				encapsulation: z.enum(['mpe', 'ule']).default('mpe'),
			}),
		])
		.prefault({kind: 'user'})
		.describe('Who takes the IP out: this process, or the kernel’s net interface of one PID (needs CAP_NET_ADMIN).'),
	lockTimeoutMs: waitMs.default(5000).describe('A carrier without a lock for so long is left for the next.'),
	announceTimeoutMs: waitMs
		.default(20_000)
		.describe('A carrier on which nothing announces itself for so long is left for the next.'),
	lossPatienceMs: waitMs.default(3000).describe('A lock that is gone for less is not spoken of.'),
	relockTimeoutMs: waitMs
		.default(120_000)
		.describe('After a loss the same carrier is tried for so long, before the others: it rains.'),
	reopenDelayMs: waitMs.default(5000).describe('A tuner that is not there, or taken, is asked for again after this.'),
	statisticsIntervalMs: z.int().min(50).max(60_000).default(250),
});
export type TunerConfig = z.infer<typeof tunerConfigSchema>;
