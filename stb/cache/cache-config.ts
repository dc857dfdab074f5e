import type {Clock} from '#appliance/time/clock.ts';

export type CacheOptions = {
	/** Default 10 GB. */
	readonly budgetBytes?: number;
	/** An object that brings no expiry leaves after this; default 24 h. */
	readonly objectExpiryMs?: number;
	/** The disk is never filled beyond this by the cache; default 64 MiB. */
	readonly diskReserveBytes?: number;
	/** Whether the tree for nginx is kept; default true. */
	readonly webTree?: boolean;
	readonly clock?: Clock;
};

export const cacheDefaults = {
	budgetBytes: 10_000_000_000,
	objectExpiryMs: 86_400_000,
	diskReserveBytes: 64 * 1024 * 1024,
} as const;
