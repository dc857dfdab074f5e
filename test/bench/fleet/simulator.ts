import {type ChildProcess, fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {sleep} from '#appliance/time/sleep.ts';
import type {SimulatorContinue, SimulatorOrder, SimulatorReport} from '#test/bench/fleet/simulator-message.ts';

const processPath = fileURLToPath(new URL('simulator-process.ts', import.meta.url));
const lookMs = 250;

/** What all processes of a simulation count together. */
export type SimulationTotals = Omit<SimulatorReport, 'kind' | 'latencyMs'>;

export type Simulation = Disposable & {
	/** Lets the boxes come that have waited. */
	readonly connectRest: () => void;
	readonly totals: () => SimulationTotals;
	/** Latencies since the last call, ms, sorted. */
	readonly takeLatencies: () => Float64Array;
	/** Waits for a condition; false when the time is over. */
	readonly until: (
		condition: (totals: SimulationTotals) => boolean,
		options: {
			readonly timeoutMs: number;
			readonly signal: AbortSignal;
			readonly onLook?: (totals: SimulationTotals) => void;
		},
	) => Promise<boolean>;
};

/** Boxes in processes of their own, divided equally. */
export const startSimulation = (options: {
	readonly processes: number;
	readonly order: Omit<SimulatorOrder, 'kind'>;
}): Simulation => {
	const {processes, order} = options;
	const latest = new Map<number, SimulatorReport>();
	let latencies: number[] = [];
	const share = Math.ceil(order.identities.length / processes);
	const children = Array.from({length: processes}, (_, index): ChildProcess => {
		const child = fork(processPath, {stdio: ['ignore', 2, 2, 'ipc']});
		child.on('message', (report: SimulatorReport) => {
			latest.set(index, report);
			latencies = latencies.concat(report.latencyMs);
		});
		const identities = order.identities.slice(index * share, (index + 1) * share);
		const connectPerSecond = order.connectPerSecond / processes;
		const firstBoxes = Math.min(identities.length, Math.ceil(order.firstBoxes / processes));
		child.send({...order, kind: 'start', identities, firstBoxes, connectPerSecond} satisfies SimulatorOrder);
		return child;
	});
	const totals = (): SimulationTotals => {
		const reports = [...latest.values()];
		const sum = (pick: (report: SimulatorReport) => number): number =>
			reports.reduce((total, report) => total + pick(report), 0);
		return {
			connected: sum(({connected}) => connected),
			published: sum(({published}) => published),
			puback: sum(({puback}) => puback),
			telemetry: sum(({telemetry}) => telemetry),
			events: sum(({events}) => events),
			closed: sum(({closed}) => closed),
			ordered: sum(({ordered}) => ordered),
			updated: sum(({updated}) => updated),
			unacknowledged: reports.length < processes ? Number.POSITIVE_INFINITY : sum((report) => report.unacknowledged),
			rssBytes: sum(({rssBytes}) => rssBytes),
			lastError: reports.find(({lastError}) => lastError !== '')?.lastError ?? '',
		};
	};
	return {
		connectRest: () => {
			for (const child of children) {
				child.send({kind: 'continue'} satisfies SimulatorContinue);
			}
		},
		totals,
		takeLatencies: () => {
			const taken = Float64Array.from(latencies).sort();
			latencies = [];
			return taken;
		},
		until: async (condition, {timeoutMs, signal, onLook}) => {
			const deadlineMs = performance.now() + timeoutMs;
			while (!condition(totals())) {
				if (performance.now() > deadlineMs) {
					return false;
				}
				onLook?.(totals());
				await sleep(lookMs, {signal});
			}
			return true;
		},
		[Symbol.dispose]: () => {
			for (const child of children) {
				child.kill('SIGKILL');
			}
		},
	};
};

/** Of a sorted list; 0 when it is empty. */
export const percentile = (sorted: Float64Array, share: number): number =>
	sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
