import {z} from 'zod';

/** The transponder as DVB-NIP's network information tells it; the defaults are the first satellite's. */
export const networkConfigSchema = z.strictObject({
	name: z.string().min(1).max(100).default('StreamVerse'),
	nipNetworkId: z.int().min(1).max(65_280).default(1),
	carrierId: z.int().min(0).max(65_535).default(1),
	linkId: z.int().min(0).max(65_535).default(1),
	serviceId: z.int().min(1).max(65_535).default(5001).describe('DVB service that carries the stream.'),
	originalNetworkId: z.int().min(0).max(65_535).default(1),
	transportStreamId: z.int().min(0).max(65_535).default(1001),
	orbitalPositionDegrees: z.number().min(-180).max(180).default(13),
	frequencyKHz: z.int().min(1_000_000).max(60_000_000).default(11_727_500),
	polarization: z.enum(['horizontal', 'vertical']).default('vertical'),
	symbolRateKSymPerS: z.int().min(100).max(500_000).default(27_500),
	modulation: z.enum(['QPSK', '8PSK', '16APSK', '32APSK']).default('8PSK'),
	fec: z.enum(['1/4', '1/3', '2/5', '1/2', '3/5', '2/3', '3/4', '4/5', '5/6', '8/9', '9/10']).default('3/4'),
	rollOff: z.enum(['0.35', '0.25', '0.20']).default('0.20'),
});
export type NetworkConfig = z.infer<typeof networkConfigSchema>;
