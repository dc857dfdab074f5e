import {z} from 'zod';

/** The HTTPS listener that boxes come to. A change needs a restart. */
export const deviceListenerConfigSchema = z.strictObject({
	host: z.string().default('0.0.0.0'),
	/** 0 = any free port, kept from then on, because boxes keep the address. */
	port: z.int().min(0).max(65_535).default(8443),
	/** In all, each with its TLS state of some 50 KiB. */
	connectionsMax: z.int().min(1).max(100_000).default(4096),
	/** Many boxes of one site share an address. */
	connectionsPerAddressMax: z.int().min(1).max(100_000).default(256),
	/** Requests that an address may make at once, and per second from then on. */
	requestBurst: z.int().min(1).default(500),
	requestsPerSecond: z.number().min(0.1).default(50),
});
export type DeviceListenerConfig = z.infer<typeof deviceListenerConfigSchema>;
