import assert from 'node:assert/strict';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import type {UpdatePhase, UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {
	type GroupState,
	type RolloutBoxState,
	type RolloutSpec,
	type RolloutState,
	rolloutBoxStates,
	rolloutCreateSchema,
} from '#ota/contract/rollout-api.ts';
import {divideIntoGroups} from '#ota/fleet/rollout/divide-into-groups.ts';
import {type BoxProgress, judgeStatus, retryDelayMs} from '#ota/fleet/rollout/judge-status.ts';
import {orderIdOf} from '#ota/fleet/rollout/order-id.ts';
import {type OpenPhase, phaseDeadlineMs} from '#ota/fleet/rollout/phase-deadline.ts';
import {type PlanGroup, planRollout, type RolloutStep, type RolloutView} from '#ota/fleet/rollout/plan-rollout.ts';

export const rolloutId = 'abcdefghijkl';
export const newRelease = releaseVersionSchema.parse('2.0.0');

export const specOf = (overrides: Readonly<Record<string, unknown>> = {}): RolloutSpec =>
	rolloutCreateSchema.parse({
		name: 'r',
		release: newRelease,
		kind: 'stb',
		groups: [{name: 'all', size: {kind: 'percent', percent: 100}}],
		...overrides,
	});

/** What a simulated box does with each order: how long its phases take, and how it ends. */
export type Fate = {
	readonly end: 'confirmed' | 'failed' | 'refused' | 'rolled-back' | 'silent' | 'dark';
	readonly stepMs: number;
};

type SimulatedBox = {
	readonly id: string;
	readonly ordinal: number;
	readonly fates: readonly Fate[];
	progress: BoxProgress;
	orderedMs: number;
	/** Orders that it was given, to find one that was given twice. */
	readonly orders: number[];
	runs: boolean;
};

type SimulatedGroup = {
	readonly spec: RolloutSpec['groups'][number];
	state: GroupState;
	startedMs: number | null;
	waived: number;
};

const pathTo: Readonly<Record<Fate['end'], readonly UpdatePhase[]>> = {
	confirmed: ['accepted', 'fetching', 'verified', 'installing', 'rebooting', 'confirming', 'confirmed'],
	failed: ['accepted', 'fetching', 'failed'],
	refused: ['refused'],
	'rolled-back': ['accepted', 'fetching', 'verified', 'installing', 'rebooting', 'confirming', 'rolled-back'],
	silent: [],
	dark: ['accepted', 'fetching', 'verified', 'installing', 'rebooting'],
};

/** The planner and the judge on boxes in memory, with every rule of the planner asserted at each step. */
export class SimulatedRollout {
	state: RolloutState = 'running';
	nowMs = 0;
	readonly spec: RolloutSpec;
	readonly boxes: SimulatedBox[];
	readonly groups: SimulatedGroup[];
	pauses = 0;

	constructor(spec: RolloutSpec, fates: readonly (readonly Fate[])[]) {
		this.spec = spec;
		this.groups = spec.groups.map((group) => ({spec: group, state: 'waiting', startedMs: null, waived: 0}));
		const ids = fates.map((each, index) => ({id: `box-${index}`, fates: each}));
		this.boxes = divideIntoGroups(ids, {groups: spec.groups, salt: 's'}).flatMap(({boxes}, ordinal) =>
			boxes.map((box) => ({
				...box,
				ordinal,
				progress: {state: 'waiting', phase: null, attempt: 0, reason: null, sinceMs: 0, nextMs: null} as BoxProgress,
				orderedMs: 0,
				orders: [],
				runs: false,
			})),
		);
	}

	count(state: RolloutBoxState, ordinal?: number): number {
		return this.boxes.filter(
			(box) => box.progress.state === state && (ordinal === undefined || box.ordinal === ordinal),
		).length;
	}

	view(): RolloutView {
		const started = new Set(this.groups.flatMap(({state}, ordinal) => (state === 'waiting' ? [] : [ordinal])));
		return {
			state: this.state,
			spec: this.spec,
			isReleasePublished: true,
			nowMs: this.nowMs,
			groups: this.groups.map((group, ordinal): PlanGroup => {
				const counts = Object.fromEntries(rolloutBoxStates.map((state) => [state, this.count(state, ordinal)]));
				return {...group, ordinal, counts: counts as PlanGroup['counts']};
			}),
			due: this.boxes
				.filter(({progress}) => progress.state === 'ordered' && (progress.nextMs ?? 0) <= this.nowMs)
				.map(({id, progress}) => ({box: id, attempt: progress.attempt, phase: progress.phase as OpenPhase})),
			queue: this.boxes
				.filter(
					({progress, ordinal}) =>
						started.has(ordinal) &&
						(progress.state === 'waiting' || (progress.state === 'retrying' && (progress.nextMs ?? 0) <= this.nowMs)),
				)
				.map(({id, ordinal, progress}) => ({box: id, ordinal, attempt: progress.attempt, fit: {kind: 'order'}})),
		};
	}

	/** Plans and carries out until nothing is left to do at this moment. */
	turn(): void {
		for (let turns = 0; ; turns += 1) {
			assert.ok(turns < 1000, 'a turn ends');
			const steps = planRollout(this.view());
			if (steps.length === 0) {
				return;
			}
			for (const step of steps) {
				this.#carryOut(step);
			}
			assert.ok(this.count('ordered') <= this.spec.inFlightMax, 'never more in flight than allowed');
		}
	}

	#carryOut(step: RolloutStep): void {
		switch (step.kind) {
			case 'begin':
				this.state = 'running';
				return;
			case 'pause':
				this.state = 'paused';
				this.pauses += 1;
				return;
			case 'abort':
				this.state = 'aborted';
				return;
			case 'finish':
				assert.equal(this.count('waiting') + this.count('ordered') + this.count('retrying'), 0);
				this.state = 'finished';
				return;
			case 'start-group':
				this.#start(step.ordinal);
				return;
			case 'finish-group':
				this.#group(step.ordinal).state = 'done';
				return;
			case 'order':
				this.#order(step.box, step.attempt);
				return;
			case 'settle':
				this.#change(this.#box(step.box), {state: step.state, nextMs: null});
				return;
			case 'give-up':
				this.#giveUp(step);
		}
	}

	#start(ordinal: number): void {
		const group = this.#group(ordinal);
		assert.equal(group.state, 'waiting');
		const before = this.groups[ordinal - 1];
		if (before !== undefined) {
			const size = this.boxes.filter((box) => box.ordinal === ordinal - 1).length - before.waived;
			assert.ok(this.count('done', ordinal - 1) * 100 >= before.spec.successPercent * size - 1e-6, 'success threshold');
			assert.ok(this.nowMs >= (before.startedMs ?? 0) + before.spec.soakMs, 'soak time');
		}
		group.state = 'running';
		group.startedMs = this.nowMs;
	}

	#order(id: string, attempt: number): void {
		const box = this.#box(id);
		assert.ok(!box.orders.includes(attempt), 'never ordered twice');
		assert.ok(attempt <= this.spec.retry.attemptsMax, 'no more attempts than allowed');
		for (const [ordinal, {spec, waived}] of this.groups.entries()) {
			const failures = this.count('failed', ordinal) - waived;
			const size = this.boxes.filter((each) => each.ordinal === ordinal).length;
			assert.ok(spec.errorCount === null || failures < spec.errorCount, 'nothing is ordered beyond the error count');
			assert.ok(
				failures <= 0 || spec.errorPercent === null || failures * 100 < spec.errorPercent * size,
				'nothing is ordered beyond the error percentage',
			);
		}
		box.orders.push(attempt);
		box.orderedMs = this.nowMs;
		const nextMs = phaseDeadlineMs(null, {...this.#judge(), deadlines: this.spec.deadlines});
		this.#change(box, {state: 'ordered', phase: null, attempt, sinceMs: 0, nextMs});
	}

	#giveUp(step: Extract<RolloutStep, {kind: 'give-up'}>): void {
		const nextMs = step.outcome === 'retrying' ? this.nowMs + retryDelayMs(step.attempt, {spec: this.spec}) : null;
		this.#change(this.#box(step.box), {state: step.outcome, reason: step.reason, nextMs});
	}

	/** Every box says what it has come to by now. */
	hear(): void {
		for (const box of this.boxes) {
			if (box.orders.length > 0 && this.state !== 'aborted') {
				this.#hearBox(box);
			}
		}
	}

	#hearBox(box: SimulatedBox): void {
		const attempt = box.progress.attempt;
		const fate = box.fates[(attempt - 1) % box.fates.length] ?? {end: 'confirmed', stepMs: 1};
		const path = pathTo[fate.end];
		const at = Math.min(path.length, Math.floor((this.nowMs - box.orderedMs) / fate.stepMs));
		const phase = path[at - 1];
		if (phase === undefined) {
			return;
		}
		const status: UpdateStatus = {
			phase,
			orderId: orderIdOf(rolloutId, attempt),
			release: newRelease,
			sinceMs: box.orderedMs + at * fate.stepMs,
		};
		box.progress = judgeStatus(box.progress, {status, running: undefined}, this.#judge()) ?? box.progress;
	}

	resume(): void {
		for (const [ordinal, group] of this.groups.entries()) {
			group.waived = this.count('failed', ordinal);
		}
		this.state = 'running';
	}

	#judge(): Parameters<typeof judgeStatus>[2] {
		return {rollout: rolloutId, spec: this.spec, windows: null, timeZone: 'UTC', nowMs: this.nowMs, random: () => 0.5};
	}

	#change(box: SimulatedBox, change: Partial<BoxProgress>): void {
		box.progress = {...box.progress, ...change};
	}

	#box(id: string): SimulatedBox {
		const box = this.boxes.find((each) => each.id === id);
		assert.ok(box !== undefined);
		return box;
	}

	#group(ordinal: number): SimulatedGroup {
		const group = this.groups[ordinal];
		assert.ok(group !== undefined);
		return group;
	}
}
