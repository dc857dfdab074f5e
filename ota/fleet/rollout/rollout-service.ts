import {randomInt} from 'node:crypto';
import type {Transaction} from 'kysely';
import {errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import {parseFilter} from '#appliance/filter/parse-filter.ts';
import type {Rollout, RolloutPreview, RolloutSpec, RolloutState} from '#ota/contract/rollout-api.ts';
import {editConflict, notFound} from '#ota/fleet/api/api-error.ts';
import type {Actor} from '#ota/fleet/api/endpoint.ts';
import {readRelease} from '#ota/fleet/release/release-repository.ts';
import {broadcastTarget} from '#ota/fleet/rollout/carousel-orders.ts';
import {abortRollout, changeState} from '#ota/fleet/rollout/carry-out.ts';
import {divideIntoGroups, type GroupInterval} from '#ota/fleet/rollout/divide-into-groups.ts';
import {previewRollout} from '#ota/fleet/rollout/preview-rollout.ts';
import type {ViewedRollout} from '#ota/fleet/rollout/read-rollout-view.ts';
import type {EngineContext, RolloutEngine} from '#ota/fleet/rollout/rollout-engine.ts';
import {rolloutError} from '#ota/fleet/rollout/rollout-error.ts';
import {type Member, matchBoxes, matchIds, placeMembers} from '#ota/fleet/rollout/rollout-members.ts';
import {readNewRollout, readRollout} from '#ota/fleet/rollout/rollout-repository.ts';
import {parseSpec, parseState} from '#ota/fleet/rollout/rollout-rows.ts';
import {bundleOf, sourcesOf} from '#ota/fleet/rollout/update-order-of.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

export type RolloutServiceContext = EngineContext & {readonly engine: RolloutEngine};

export type RolloutAct = {
	readonly id: string;
	readonly actor: Actor;
	/** Of what the person saw; undefined = does not matter. */
	readonly ifMatch: number | undefined;
	readonly reason: string;
};

type Locked = {readonly transaction: Transaction<FleetTables>; readonly rollout: ViewedRollout; readonly nowMs: number};

/** What people do with rollouts; what rollouts do by themselves is the engine's. */
export class RolloutService {
	readonly #context: RolloutServiceContext;

	constructor(context: RolloutServiceContext) {
		this.#context = context;
	}

	async preview(spec: RolloutSpec): Promise<RolloutPreview> {
		await this.#validate(spec, newId());
		return previewRollout(await matchBoxes(this.#context, spec), {spec, salt: newId()}).preview;
	}

	async create(spec: RolloutSpec, actor: Actor): Promise<Rollout> {
		const {store, clock} = this.#context;
		const id = newId();
		await this.#validate(spec, id);
		const matched = await matchIds(this.#context, spec);
		const intervals = divideIntoGroups(matched, {groups: spec.groups, salt: id});
		// The engine would look for them once more as soon as it sees the rollout.
		this.#context.engine.membersRead(id);
		await store.database.transaction().execute(async (transaction) => {
			await transaction
				.insertInto('rollout')
				.values({
					id,
					name: spec.name,
					release: spec.release,
					kind: spec.kind,
					state: 'waiting-approval',
					spec: JSON.stringify(spec),
					created_by: actor.name,
					created_by_id: actor.id,
					created_ms: clock.nowMs(),
				})
				.execute();
			const groups = intervals.map(({from, to}, ordinal) => ({share_from: from, share_to: to, ordinal}));
			await transaction
				.insertInto('rollout_group')
				.values(groups.map((group) => ({...group, rollout: id, state: 'waiting'})))
				.execute();
		});
		await placeMembers(this.#context, {rollout: id, members: membersOf(matched, intervals)});
		this.#tell(id);
		return found(await readNewRollout(store.database, {id, boxesOfGroups: intervals.map(({boxes}) => boxes.length)}));
	}

	async get(id: string): Promise<Rollout> {
		return found(await readRollout(this.#context.store.database, id));
	}

	/** Four eyes: whoever made it does not decide, whatever their role. */
	approve(act: RolloutAct & {readonly decision: 'approved' | 'rejected'}): Promise<Rollout> {
		return this.#change(act, ['waiting-approval'], async ({transaction, rollout, nowMs}) => {
			const {created_by_id: maker} = await transaction
				.selectFrom('rollout')
				.select('created_by_id')
				.where('id', '=', act.id)
				.executeTakeFirstOrThrow();
			if (maker === act.actor.id) {
				throw rolloutError('OTA_ROLLOUT_SELF_APPROVAL', {
					status: 403,
					message: 'Somebody other than who made it must approve a rollout.',
				});
			}
			const approval = JSON.stringify({by: act.actor.name, atMs: nowMs, note: act.reason});
			await transaction.updateTable('rollout').set({approval}).where('id', '=', act.id).execute();
			await changeState({transaction, rollout, nowMs}, act.decision, null);
		});
	}

	start(act: RolloutAct): Promise<Rollout> {
		return this.#change(act, ['approved'], (locked) => changeState(locked, 'scheduled', null));
	}

	pause(act: RolloutAct): Promise<Rollout> {
		const message = act.reason === '' ? `Paused by ${act.actor.name}.` : act.reason;
		return this.#change(act, ['running', 'scheduled'], (locked) =>
			changeState(locked, 'paused', {code: 'OTA_ROLLOUT_PAUSED', message}),
		);
	}

	/** The failures so far are accepted: thresholds count anew. */
	resume(act: RolloutAct): Promise<Rollout> {
		return this.#change(act, ['paused'], async (locked) => {
			const {transaction} = locked;
			const groups = await transaction
				.selectFrom('rollout_box')
				.select(['ordinal', (select) => select.fn.countAll<number>().as('count')])
				.where('rollout', '=', act.id)
				.where('state', '=', 'failed')
				.groupBy('ordinal')
				.execute();
			for (const {ordinal, count} of groups) {
				await transaction
					.updateTable('rollout_group')
					.set({waived: Number(count)})
					.where('rollout', '=', act.id)
					.where('ordinal', '=', ordinal)
					.execute();
			}
			// A rollout that was paused before its time goes on waiting for it.
			const isEarly = (locked.rollout.spec.startAtMs ?? 0) > locked.nowMs;
			await changeState(locked, isEarly ? 'scheduled' : 'running', null);
		});
	}

	abort(act: RolloutAct): Promise<Rollout> {
		const message = act.reason === '' ? `Aborted by ${act.actor.name}.` : act.reason;
		const states = ['waiting-approval', 'approved', 'scheduled', 'running', 'paused'] as const;
		return this.#change(act, states, (locked) =>
			abortRollout({...locked, desk: this.#context.desk}, {code: 'OTA_ROLLOUT_ABORTED', message}),
		);
	}

	/** Boxes that failed are to be ordered once more; a rollout that had finished runs again for them. */
	retryFailed(act: RolloutAct): Promise<Rollout> {
		return this.#change(act, ['running', 'paused', 'finished'], async (locked) => {
			const {transaction, nowMs, rollout} = locked;
			await transaction
				.updateTable('rollout_box')
				.set({state: 'retrying', next_ms: nowMs, changed_ms: nowMs})
				.where('rollout', '=', act.id)
				.where('state', '=', 'failed')
				.execute();
			await transaction.updateTable('rollout_group').set({waived: 0}).where('rollout', '=', act.id).execute();
			await changeState(locked, rollout.state === 'paused' ? 'paused' : 'running', null);
		});
	}

	async #change(
		act: RolloutAct,
		from: readonly RolloutState[],
		change: (locked: Locked) => Promise<void>,
	): Promise<Rollout> {
		const {store, clock} = this.#context;
		await store.database.transaction().execute(async (transaction) => {
			const row = await transaction
				.updateTable('rollout')
				.set((set) => ({turn: set('turn', '+', 1)}))
				.where('id', '=', act.id)
				.returningAll()
				.executeTakeFirst();
			if (row === undefined) {
				throw notFound('rollout');
			}
			if (act.ifMatch !== undefined && row.edit_version !== act.ifMatch) {
				throw editConflict();
			}
			const rollout = {id: act.id, state: parseState(row), spec: parseSpec(row)};
			if (!from.includes(rollout.state)) {
				throw rolloutError('OTA_ROLLOUT_STATE', {
					status: 409,
					message: `This cannot be done with a rollout that is ${rollout.state}.`,
				});
			}
			await change({transaction, rollout, nowMs: clock.nowMs()});
		});
		this.#context.desk.wake();
		this.#tell(act.id);
		return this.get(act.id);
	}

	#tell(id: string): void {
		this.#context.changes.publish({kind: 'rollouts', ids: [id]});
		this.#context.engine.wake();
	}

	async #validate(spec: RolloutSpec, id: string): Promise<void> {
		const release = await readRelease(this.#context.store.database, spec.release);
		if (release?.state !== 'published') {
			throw rolloutError('OTA_ROLLOUT_RELEASE_UNPUBLISHED', {
				status: 422,
				message: 'Only a release that is published here can be rolled out.',
			});
		}
		if (sourcesOf(spec, bundleOf(release.manifest, spec), this.#context.places).length === 0) {
			throw rolloutError('OTA_ROLLOUT_SOURCE_MISSING', {
				status: 422,
				message: 'Allow at least one way of fetching that this fleet has.',
			});
		}
		if (spec.groups.some(({size}) => size.kind === 'share' && size.from >= size.to)) {
			throw rolloutError('OTA_ROLLOUT_SHARE_INVALID', {status: 422, message: 'A share must end after it begins.'});
		}
		try {
			parseFilter(spec.filter);
			broadcastTarget({id, spec}, {from: 0, to: 1});
		} catch (error) {
			const message = errorCode(error) === undefined ? 'The filter is too long.' : errorMessage(error);
			const errors = [{in: 'body' as const, field: 'filter', message}];
			throw rolloutError('OTA_ROLLOUT_FILTER_INVALID', {status: 422, message, errors, cause: error});
		}
	}
}

const found = (rollout: Rollout | undefined): Rollout => {
	if (rollout === undefined) {
		throw notFound('rollout');
	}
	return rollout;
};

/** In the order in which the boxes were matched, which is that of their ids: two of the three indexes grow at their end. */
const membersOf = (
	matched: readonly {readonly id: string}[],
	intervals: readonly GroupInterval<{readonly id: string}>[],
): readonly Member[] => {
	const members: (Member | undefined)[] = matched.map(() => undefined);
	for (const [ordinal, {boxes, places}] of intervals.entries()) {
		for (const [position, {id}] of boxes.entries()) {
			const {share = 0, index = 0} = places[position] ?? {};
			members[index] = {box: id, ordinal, share};
		}
	}
	return members.filter((member) => member !== undefined);
};

const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
const newId = (): string => Array.from({length: 12}, () => idAlphabet[randomInt(idAlphabet.length)]).join('');
