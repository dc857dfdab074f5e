import type {Rollout, RolloutBox, RolloutCreate} from '#ota/contract/rollout-api.ts';
import {eventually} from '#test/helper/eventually.ts';
import {adminPassword, type FleetCall, fleetCall, signInToFleet, type TestFleet} from '#test/helper/with-fleet.ts';

export type RolloutDesk = {
	/** Made by the admin; not yet approved. */
	readonly make: (rollout: RolloutCreate) => Promise<Rollout>;
	readonly approveAndStart: (id: string) => Promise<void>;
	readonly read: (id: string) => Promise<Rollout>;
	readonly act: (id: string, action: 'pause' | 'resume' | 'abort') => Promise<void>;
	readonly boxes: (id: string) => Promise<readonly RolloutBox[]>;
	/** Waits for a rollout that is as told, and answers it; fails with what it was instead. */
	readonly until: (
		what: string,
		id: string,
		condition: (rollout: Rollout, boxes: readonly RolloutBox[]) => boolean,
		options?: {readonly timeoutMs?: number},
	) => Promise<{readonly rollout: Rollout; readonly boxes: readonly RolloutBox[]}>;
};

/** Rollouts of a whole fleet by its API: one person makes them, a second approves them. */
export const withApprover = async (fleet: TestFleet): Promise<RolloutDesk> => {
	const {call, url} = fleet;
	const approve = await approverOf(fleet);
	const read = async (id: string): Promise<Rollout> => answer(call, `GET /rollouts/${id}`);
	const boxes: RolloutDesk['boxes'] = async (id) =>
		(await answer<{items: readonly RolloutBox[]}>(call, `GET /rollouts/${id}/boxes`)).items;
	/** Whoever changes it needs its present edition, which the engine may have changed meanwhile. */
	const change = async (who: FleetCall, id: string, path: string, body: object): Promise<void> => {
		await eventually(`${path} of the rollout at ${url}`, async () => {
			const {editVersion} = await read(id);
			await answer(who, `POST /rollouts/${id}/${path}`, body, {'If-Match': `"${editVersion}"`});
			return true;
		});
	};
	return {
		...{read, boxes},
		make: (rollout) => answer(call, 'POST /rollouts', rollout),
		approveAndStart: async (id) => {
			await change(approve, id, 'approve', {decision: 'approved'});
			await change(call, id, 'start', {});
		},
		act: (id, action) => change(call, id, action, {}),
		until: async (what, id, condition, {timeoutMs = 120_000} = {}) => {
			let seen: {readonly rollout: Rollout; readonly boxes: readonly RolloutBox[]} | undefined;
			try {
				return await eventually(
					what,
					async () => {
						seen = {rollout: await read(id), boxes: await boxes(id)};
						return condition(seen.rollout, seen.boxes) && seen;
					},
					{timeoutMs, intervalMs: 200},
				);
			} catch (cause) {
				throw new Error(`${what}: ${JSON.stringify(seen)}`, {cause});
			}
		},
	};
};

const approverOf = async ({call, url}: TestFleet): Promise<FleetCall> => {
	const {oneTimePassword} = await answer<{oneTimePassword: string}>(call, 'POST /accounts', {
		...{name: 'second', displayName: 'Second', role: 'approver'},
	});
	const first = await signInToFleet(url, 'second', oneTimePassword);
	const change = {current: oneTimePassword, next: adminPassword};
	await answer(fleetCall(url, {Cookie: first}), 'PUT /session/password', change);
	return fleetCall(url, {Cookie: await signInToFleet(url, 'second', adminPassword)});
};

const answer = async <Body>(
	call: FleetCall,
	operation: string,
	body?: object,
	headers?: Readonly<Record<string, string>>,
): Promise<Body> => {
	const answered = await call(operation, body, headers);
	if (answered.status >= 300) {
		throw new Error(`${operation}: ${answered.status} ${JSON.stringify(answered.body)}`);
	}
	return answered.body;
};
