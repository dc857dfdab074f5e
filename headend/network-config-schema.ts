import {z} from 'zod';

/** Of EN 302 307-1 and -2; which code rates and frames each has is the modem's table. */
export const modulations = ['QPSK', '8PSK', '8APSK', '16APSK', '32APSK', '64APSK', '128APSK', '256APSK'] as const;

/** The transponder as DVB-NIP's network information tells it; the defaults are the first satellite's. */
export const networkConfigSchema = z.strictObject({
	name: z.string().min(1).max(100).default('StreamVerse'),
	networkId: z.int().min(1).max(65_280).default(1).describe('NIPNetworkID (TS 103 876).'),
	carrierId: z.int().min(0).max(65_535).default(1),
	linkId: z.int().min(0).max(65_535).default(1),
	serviceId: z.int().min(1).max(65_535).default(5001).describe('DVB service that carries the stream.'),
	linkLayerFormat: z
		.enum(['TS', 'GSE-Lite'])
		.default('TS')
		.describe(
			'What carries the datagrams: MPE in a transport stream, or GSE. Says it also of an encapsulator of others.',
		),
	satellite: z
		.strictObject({
			system: z.enum(['DVB-S2', 'DVB-S2X']).default('DVB-S2'),
			orbitalPositionDegrees: z.number().min(-180).max(180).default(13).describe('East positive.'),
			frequencyKhz: z.int().min(1_000_000).max(60_000_000).default(11_727_500),
			polarization: z.enum(['horizontal', 'vertical', 'left circular', 'right circular']).default('vertical'),
			symbolRateKsps: z.int().min(100).max(500_000).default(27_500),
			modulation: z.enum(modulations).default('8PSK'),
			codeRate: z
				.string()
				.regex(/^\d{1,3}\/\d{1,3}(?:-L)?$/u)
				.default('3/4'),
			frame: z.enum(['normal', 'short']).default('normal').describe('FECFRAME.'),
			pilots: z.boolean().default(false).describe('Cost 2.3 % of the rate and help receivers with phase noise.'),
			rollOff: z.enum(['0.35', '0.25', '0.20', '0.15', '0.10', '0.05']).default('0.20'),
			scramblingSequenceIndex: z.int().min(0).max(262_142).default(0).describe('Of the physical layer (Gold code).'),
			inputStreamIdentifier: z.int().min(0).max(255).default(0),
			originalNetworkId: z.int().min(0).max(65_535).default(1),
			transportStreamId: z.int().min(0).max(65_535).default(1001),
		})
		.nullable()
		.prefault({})
		.describe('null on a network without a satellite.'),
});
export type NetworkConfig = z.infer<typeof networkConfigSchema>;
export type SatelliteConfig = NonNullable<NetworkConfig['satellite']>;
