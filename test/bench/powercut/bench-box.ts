import {execFileSync} from 'node:child_process';
import {appendFileSync, linkSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {sleep} from '#appliance/time/sleep.ts';
import {makeDisk} from '#image/qemu/run-image.ts';
import {type Machine, startMachine} from '#image/qemu/start-machine.ts';
import type {Seed} from '#image/seed/seed-schema.ts';
import {boxDetailSchema} from '#ota/contract/box-api.ts';
import {type RolloutBox, rolloutBoxPageSchema} from '#ota/contract/rollout-api.ts';
import {readBootVariables} from '#test/bench/powercut/boot-variables.ts';
import type {Sight} from '#test/bench/powercut/sight.ts';
import {type CacheLoss, loggedDisk, type Replay, replayLog} from '#test/bench/powercut/write-log.ts';
import {plantSeed} from '#test/helper/box-disk.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';
import type {TestImage} from '#test/helper/with-image.ts';
import {claimOf} from '#test/helper/with-slot-box.ts';

const lookIntervalMs = 150;
const linesShown = 40;
const bootLine = /streamverse: boot slot ([ABR])/u;

/** From the power's coming to its going. */
export type Segment = {readonly diskPath: string; readonly logPath: string};

export type BenchBoxOptions = {
	readonly id: string;
	readonly image: TestImage;
	readonly fleet: TestFleet;
	/** Of the box alone: its disk, its firmware's variables, all that its console ever said. */
	readonly directory: string;
	/** Told all that is seen of the box, and that the power came. */
	readonly onLook?: (sight: Sight) => void;
	readonly onPower?: () => void;
	/** Told the folder in which a disk lies as the power found it, and the log of what was written until it went. */
	readonly onSegment?: (segment: Segment) => void;
	readonly signal: AbortSignal;
};

/** A box whose plug is pulled and put back. */
export class BenchBox implements AsyncDisposable {
	readonly id: string;
	readonly consolePath: string;
	readonly #options: BenchBoxOptions;
	/** As it was when the power came, while the box runs from a disk with a cache. */
	readonly #restingPath: string;
	readonly #runningPath: string;
	readonly #logPath: string;
	#hasCache = false;
	#segments = 0;
	#machine: Machine | undefined;
	#lines: string[] = [];
	#boots: string[] = [];
	/** Of the rollout that it takes part in. */
	rolloutId: string | undefined;

	constructor(options: BenchBoxOptions) {
		this.#options = options;
		this.id = options.id;
		this.#restingPath = join(options.directory, 'disk.img');
		this.#runningPath = join(options.directory, 'running.img');
		this.#logPath = join(options.directory, 'writes.log');
		this.consolePath = join(options.directory, 'console.log');
	}

	/** Where its disk lies at the moment. */
	get diskPath(): string {
		return this.#hasCache ? this.#runningPath : this.#restingPath;
	}

	/** As the technician leaves it: the image on its disk, and the claim in its seed. */
	async flash(): Promise<void> {
		const {image, fleet, directory, id} = this.#options;
		await makeDisk(image.diskPath, this.diskPath);
		const claim = await claimOf(fleet, id);
		const seed: Seed = {version: 1, deviceId: id as NonNullable<Seed['deviceId']>, claim};
		await plantSeed(this.diskPath, {directory, seed});
	}

	/** From its disk; or with all its writes logged, so that a cut may lose some; or from what QEMU shall put before it. */
	async switchOn(from: {readonly hasCache?: boolean; readonly diskPath?: string} = {}): Promise<void> {
		const {directory, signal} = this.#options;
		this.#lines = [];
		this.#boots = [];
		this.#note('the power comes');
		this.#options.onPower?.();
		this.#hasCache = from.hasCache ?? false;
		if (this.#hasCache) {
			execFileSync('cp', ['--sparse=always', this.#restingPath, this.#runningPath]);
			writeFileSync(this.#logPath, '');
		}
		const diskPath = this.#hasCache
			? loggedDisk({diskPath: this.#runningPath, logPath: this.#logPath})
			: (from.diskPath ?? this.#restingPath);
		this.#machine = await startMachine({
			...{diskPath, architecture: 'amd64', stateDirectory: directory, signal},
			onLine: (line) => {
				this.#lines.push(line);
				appendFileSync(this.consolePath, `${line}\n`);
				const [, slot] = bootLine.exec(line) ?? [];
				if (slot !== undefined) {
					this.#boots.push(slot);
				}
			},
		});
	}

	/** Answers what became of the writes that a disk with a cache had not been told to flush. */
	async pullPlug(
		cache: {readonly loss: CacheLoss; readonly random: () => number} = {loss: 'nothing', random: Math.random},
	): Promise<Replay | undefined> {
		await this.#machine?.cutPower();
		this.#note('the power is cut');
		if (!this.#hasCache) {
			return undefined;
		}
		this.#keepSegment();
		const replay = replayLog({logPath: this.#logPath, diskPath: this.#restingPath, ...cache});
		this.#note(`of ${replay.unflushed} writes that were not flushed ${replay.lost} are lost`);
		this.#hasCache = false;
		rmSync(this.#runningPath);
		rmSync(this.#logPath);
		return replay;
	}

	/** Of the console, since the power came. */
	lines(): readonly string[] {
		return this.#lines;
	}

	async look(): Promise<Sight> {
		// First: one transaction changes both, and a box that is read later is at least as far as its rollout says.
		const rollout = await this.#inRollout();
		const {status, body} = await this.#options.fleet.call(`GET /boxes/${this.id}`);
		const box = status === 404 ? undefined : boxDetailSchema.parse(body);
		const sight: Sight = {
			...{box, phase: box?.update.phase ?? 'idle', rollout},
			...{boots: [...this.#boots], variables: readBootVariables(this.diskPath)},
		};
		this.#options.onLook?.(sight);
		return sight;
	}

	/** Waits for what can be seen; fails with what was seen instead, and the console's last lines. */
	async until(
		what: string,
		condition: (sight: Sight) => boolean,
		{timeoutMs}: {readonly timeoutMs: number},
	): Promise<Sight> {
		const {signal} = this.#options;
		const deadlineMs = performance.now() + timeoutMs;
		let seen: Sight | undefined;
		let cause: unknown;
		while (performance.now() < deadlineMs) {
			try {
				seen = await this.look();
				if (condition(seen)) {
					return seen;
				}
			} catch (error) {
				cause = error;
			}
			await sleep(lookIntervalMs, {signal});
		}
		const tail = this.#lines.slice(-linesShown).join('\n');
		throw new Error(`${what}: ${JSON.stringify(seen)}\nThe console's last lines:\n${tail}`, {cause});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#machine?.[Symbol.asyncDispose]();
		if (this.#hasCache) {
			this.#keepSegment();
			this.#hasCache = false;
		}
	}

	#keepSegment(): void {
		const {onSegment, directory} = this.#options;
		if (onSegment === undefined) {
			return;
		}
		this.#segments += 1;
		const diskPath = join(directory, `segment-${this.#segments}.img`);
		const logPath = join(directory, `segment-${this.#segments}.log`);
		execFileSync('cp', ['--sparse=always', this.#restingPath, diskPath]);
		linkSync(this.#logPath, logPath);
		onSegment({diskPath, logPath});
	}

	async #inRollout(): Promise<RolloutBox | undefined> {
		if (this.rolloutId === undefined) {
			return undefined;
		}
		const {body} = await this.#options.fleet.call(`GET /rollouts/${this.rolloutId}/boxes`);
		return rolloutBoxPageSchema.parse(body).items.find(({box}) => box === this.id);
	}

	#note(what: string): void {
		appendFileSync(this.consolePath, `=== ${new Date().toISOString()} ${what}\n`);
	}
}
