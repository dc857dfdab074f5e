const barCells = 24;
const redrawIntervalMs = 100;

/** `name [#####     ]  42 %  1.2 of 3.0 MB`, redrawn in place on a terminal; elsewhere one line when it ends. */
export const createProgressBar = (name: string, stream: NodeJS.WriteStream = process.stderr) => {
	let drawnMs = 0;
	const draw = (sentBytes: number, totalBytes: number): void => {
		const ratio = totalBytes === 0 ? 1 : sentBytes / totalBytes;
		const bar = '#'.repeat(Math.round(ratio * barCells)).padEnd(barCells);
		const percent = String(Math.floor(ratio * 100)).padStart(3);
		stream.write(`\r${name} [${bar}] ${percent} %  ${megabytes(sentBytes)} of ${megabytes(totalBytes)} MB`);
	};
	return {
		update: (sentBytes: number, totalBytes: number): void => {
			const nowMs = performance.now();
			if (stream.isTTY && (nowMs - drawnMs > redrawIntervalMs || sentBytes === totalBytes)) {
				drawnMs = nowMs;
				draw(sentBytes, totalBytes);
			}
		},
		end: (text: string): void => {
			stream.write(stream.isTTY ? `  ${text}\n` : `${name}: ${text}\n`);
		},
	};
};

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
