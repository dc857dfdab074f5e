import {statfs} from 'node:fs/promises';
import type {Priority} from '#appliance/contract/catalogue-schema.ts';
import type {CacheIndex} from '#stb/cache/cache-index.ts';
import type {CacheLayout} from '#stb/cache/cache-layout.ts';
import {type EvictionPlan, planEviction} from '#stb/cache/plan-eviction.ts';

export type RoomRequest = {
	/** Bytes that will be added to the cache. */
	readonly bytes: number;
	/** Of these, what is not on the disk yet. */
	readonly unwrittenBytes: number;
	readonly priority: Priority;
};

export type RoomFacts = {
	readonly layout: CacheLayout;
	readonly index: CacheIndex;
	/** In the cache, or promised to who is committing. */
	readonly usedBytes: number;
	readonly budgetBytes: number;
	readonly diskReserveBytes: number;
};

/** What must be given up so that the request fits both the budget and the disk. */
export const planRoom = async (request: RoomRequest, facts: RoomFacts): Promise<EvictionPlan> => {
	const {bavail, bsize} = await statfs(facts.layout.directory);
	const overBudget = facts.usedBytes + request.bytes - facts.budgetBytes;
	const overDisk = request.unwrittenBytes + facts.diskReserveBytes - bavail * bsize;
	return planEviction({bytes: Math.max(0, overBudget, overDisk), priority: request.priority}, facts.index.candidates());
};
