import {setInterval as every} from 'node:timers/promises';
import {createSimulatedBox, type SimulatedBox} from '#test/bench/fleet/simulated-box.ts';
import type {
	SimulatorContinue,
	SimulatorOrder,
	SimulatorReport,
	SimulatorStats,
} from '#test/bench/fleet/simulator-message.ts';

const tickMs = 100;
const tellMs = 1000;

/** A process of its own, so that the cost of being many boxes is no part of the server's figures. */
const main = async (order: SimulatorOrder): Promise<void> => {
	const stats: SimulatorStats = {
		connected: 0,
		published: 0,
		puback: 0,
		telemetry: 0,
		events: 0,
		closed: 0,
		ordered: 0,
		updated: 0,
		latencyMs: [],
		lastError: '',
	};
	const boxes: SimulatedBox[] = order.identities.map((identity) => createSimulatedBox({...order, ...identity, stats}));
	let wanted = order.firstBoxes;
	process.on('message', ({kind}: SimulatorContinue) => {
		wanted = kind === 'continue' ? boxes.length : wanted;
	});
	let started = 0;
	let toldMs = 0;
	for await (const _ of every(tickMs)) {
		const nowMs = Date.now();
		const until = Math.min(wanted, started + Math.ceil((order.connectPerSecond * tickMs) / 1000));
		for (; started < until; started += 1) {
			boxes[started]?.start();
		}
		for (const box of boxes) {
			box.tick(nowMs);
		}
		if (nowMs - toldMs >= tellMs) {
			toldMs = nowMs;
			const unacknowledged = boxes.reduce((sum, box) => sum + box.unacknowledged(), 0);
			const report: SimulatorReport = {
				kind: 'stats',
				...stats,
				latencyMs: stats.latencyMs.splice(0),
				unacknowledged,
				rssBytes: process.memoryUsage.rss(),
			};
			process.send?.(report);
		}
	}
};

process.once('disconnect', () => process.exit(0));
process.once('message', (order: SimulatorOrder) => void main(order));
