import {z} from 'zod';

const destinationSchema = z.strictObject({
	group: z.union([z.ipv4(), z.ipv6()]).describe('A multicast group, or the address of one modulator.'),
	port: z.int().min(1).max(65_535),
});
const portOutSchema = {
	destination: destinationSchema,
	interfaceAddress: z.union([z.ipv4(), z.ipv6()]).optional().describe('Leaves by this interface.'),
	ttl: z.int().min(0).max(255).default(16),
};

/** Where I/Q samples go. */
const samplesSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('file'), path: z.string().min(1).describe('A file or a named pipe.')}),
	z.strictObject({kind: z.literal('udp'), ...portOutSchema}),
	z.strictObject({
		kind: z.literal('soapy'),
		device: z.string().max(1000).describe('As SoapySDR finds it, for example driver=lime.'),
		frequencyKhz: z
			.int()
			.min(1)
			.optional()
			.describe('Of the transmitter: an intermediate frequency; absent = the satellite’s.'),
		gainDb: z.number().min(-50).max(120).default(0),
	}),
]);

/** What leaves the headend. Everything but `ip` carries the datagrams that would go to `uplink.group`. */
export const outputSchema = z
	.discriminatedUnion('form', [
		z
			.strictObject({form: z.literal('ip')})
			.describe('Multicast, for an encapsulator of others or a terrestrial network.'),
		z
			.strictObject({
				form: z.literal('mpe'),
				...portOutSchema,
				wrapping: z.enum(['rtp', 'udp']).default('rtp').describe('Seven packets in each datagram (SMPTE 2022-2).'),
				pid: z.int().min(32).max(8190).default(500).describe('Of the sections.'),
			})
			.describe('A transport stream at the exact rate, for a modulator.'),
		z
			.strictObject({form: z.literal('gse'), ...portOutSchema})
			.describe('BBFRAMEs over UDP (mode adaptation L.3), for a modulator.'),
		z
			.strictObject({
				form: z.literal('iq'),
				samples: samplesSchema,
				samplesPerSymbol: z.int().min(2).max(16).default(2),
				format: z.enum(['float', 'integer']).default('integer').describe('Pairs of 32-bit floats or 16-bit integers.'),
				pid: z.int().min(32).max(8190).default(500).describe('Of the sections, where network.linkLayerFormat is TS.'),
			})
			.describe('The modulated signal itself, for a software-defined radio.'),
	])
	.prefault({form: 'ip'});
export type OutputConfig = z.infer<typeof outputSchema>;
