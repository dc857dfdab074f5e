import {parentPort} from 'node:worker_threads';
import {openFluteSender} from '#native/flute/sender.ts';

// A worker that is busy sending and never closes: whoever started it ends it.
const sender = openFluteSender({
	rateBps: 100_000_000,
	interfaceAddress: '127.0.0.1',
	lanes: [{name: 'main', level: 0, weight: 1}],
	onEvents: () => parentPort?.postMessage('started'),
});
sender.enqueue({
	...{lane: 'main', destination: {group: '239.255.42.9', port: 9}, tsi: 1, toi: 1},
	source: {kind: 'bytes', bytes: new Uint8Array(50_000_000)},
	fec: {encodingId: 5, symbolBytes: 1000, sourceBlockSymbolsMax: 64, repairSymbolsPerBlock: 8},
});
