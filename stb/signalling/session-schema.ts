import {isIPv4, isIPv6} from 'node:net';
import {z} from 'zod';

/** Numbers of a document: decimal digits and nothing else, so that no `0x`, sign or exponent slips in. */
export const decimalSchema = (max: number, min = 0): z.ZodType<number, string> =>
	z
		.string()
		.regex(/^\d{1,15}$/u, 'must be a decimal number')
		.transform(Number)
		.pipe(z.int().min(min).max(max));

const groupSchema = z.string().refine(
	(text) => {
		if (isIPv4(text)) {
			const first = Number.parseInt(text, 10);
			return first >= 224 && first <= 239;
		}
		return isIPv6(text) && text.toLowerCase().startsWith('ff');
	},
	{error: 'must be a multicast address'},
);

const addressSchema = z.string().refine((text) => isIPv4(text) || isIPv6(text), {error: 'must be an IP address'});

/** TSIs are at most 48 bits wide (RFC 5651 section 5.1). */
const tsiMax = 2 ** 48 - 1;

export const endpointSchema = z.object({
	group: groupSchema,
	port: decimalSchema(65_535, 1),
	source: addressSchema.optional(),
	tsi: decimalSchema(tsiMax).optional(),
});

const dayMs = 86_400_000;
const hourMs = 3_600_000;
export const baseUrlsMax = 16;

const httpUrlSchema = z
	.string()
	.max(1024)
	.refine((text) => /^https?:\/\//iu.test(text) && URL.canParse(text), {error: 'must be an http URL'});

export const repairSchema = z.object({
	/** Without one, the base URLs stand for the gateway's own host. */
	objectBaseUri: httpUrlSchema.default('http://dvb.gw/'),
	receptionTimeoutMs: decimalSchema(hourMs),
	fixedBackOffMs: decimalSchema(dayMs).default(0),
	randomBackOffMs: decimalSchema(dayMs).default(0),
	baseUrls: z.array(z.object({url: httpUrlSchema, weight: decimalSchema(1_000_000).default(1)})).max(baseUrlsMax),
});

/** The FEC Encoding ID is one byte (RFC 5052). */
const encodingIdMax = 255;

export const sessionSchema = z.object({
	id: z.string().max(200).optional(),
	serviceClass: z.string().max(500).optional(),
	/** Zero is a sender that did not say. */
	bitrateMaxBps: decimalSchema(10 ** 12).default(0),
	fecEncodingId: decimalSchema(encodingIdMax),
	fecOverheadPercent: decimalSchema(10_000),
});
