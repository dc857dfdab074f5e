import {randomBytes} from 'node:crypto';
import type {z} from 'zod';
import {sleep} from '#appliance/time/sleep.ts';
import {type FleetClient, openFleetClient, takeOver} from '#demo/fleet/fleet-client.ts';
import {accountCreatedSchema} from '#ota/contract/account-api.ts';
import {type Rollout, type RolloutCreate, rolloutBoxPageSchema, rolloutSchema} from '#ota/contract/rollout-api.ts';

const lookIntervalMs = 500;
const approverName = 'demo-approver';

/** Makes a rollout, has it approved by a second person as the fleet demands, and starts it. */
export const startRollout = async (options: {
	readonly url: string;
	readonly ask: FleetClient;
	readonly rollout: RolloutCreate;
	readonly signal: AbortSignal;
}): Promise<Rollout> => {
	const {url, ask, rollout, signal} = options;
	const made = rolloutSchema.parse(await ask('POST', '/rollouts', rollout));
	const {oneTimePassword} = accountCreatedSchema.parse(
		await ask('POST', '/accounts', {name: approverName, displayName: 'The second person', role: 'approver'}),
	);
	const password = randomBytes(12).toString('base64url');
	const token = await takeOver({
		...{url, signal, name: approverName, role: 'approver', password},
		oneTimePassword: oneTimePassword ?? '',
	});
	const approve = openFleetClient({url, token, signal});
	const approved = rolloutSchema.parse(
		await approve('POST', `/rollouts/${made.id}/approve`, {decision: 'approved'}, made.editVersion),
	);
	return act(ask, approved, 'start');
};

export const act = async (
	ask: FleetClient,
	{id, editVersion}: Pick<Rollout, 'id' | 'editVersion'>,
	action: 'start' | 'resume' | 'abort',
): Promise<Rollout> => rolloutSchema.parse(await ask('POST', `/rollouts/${id}/${action}`, {}, editVersion));

export const readRollout = async (ask: FleetClient, id: string): Promise<Rollout> =>
	rolloutSchema.parse(await ask('GET', `/rollouts/${id}`));

/** Looks until the rollout is as wanted, or the time is over; answers it as it was seen last. */
export const watchRollout = async (options: {
	readonly ask: FleetClient;
	readonly id: string;
	readonly until: (rollout: Rollout) => boolean;
	readonly timeoutMs: number;
	readonly signal: AbortSignal;
	readonly onChange?: (rollout: Rollout) => void;
}): Promise<Rollout> => {
	const {ask, id, until, timeoutMs, signal, onChange} = options;
	const deadlineMs = performance.now() + timeoutMs;
	let last = '';
	for (;;) {
		const rollout = await readRollout(ask, id);
		const state = JSON.stringify([rollout.state, rollout.counts, rollout.groups.map(({phases}) => phases)]);
		if (state !== last) {
			last = state;
			onChange?.(rollout);
		}
		if (until(rollout) || performance.now() > deadlineMs) {
			return rollout;
		}
		await sleep(lookIntervalMs, {signal});
	}
};

const membersSchema = rolloutBoxPageSchema.shape.items;
export type RolloutMember = z.infer<typeof membersSchema>[number];

export const rolloutMembers = async (ask: FleetClient, id: string): Promise<readonly RolloutMember[]> =>
	rolloutBoxPageSchema.parse(await ask('GET', `/rollouts/${id}/boxes`)).items;
