import type {RecordingSink} from '#ota/fleet/diagnostics/item-store.ts';

/** Of what its sink has not taken yet. A recording that falls so far behind is of no use. */
const waitingCharsMax = 4 * 1024 ** 2;

export type RecordingHeader = {
	readonly columns: number;
	readonly rows: number;
	readonly startedMs: number;
	readonly title: string;
};

/**
 * An asciicast v2 file (docs.asciinema.org/manual/asciicast/v2): a header, then `[seconds, "o" | "i" | "r", text]`, one a
 * line. What was typed is in it, so that the audit shows who did what.
 */
export class StreamRecording implements AsyncDisposable {
	readonly #sink: RecordingSink;
	readonly #startedMs: number;
	readonly #bytesMax: number;
	#waiting: string[] = [];
	#waitingChars = 0;
	#sizeBytes = 0;
	#writing: Promise<void> = Promise.resolve();
	#timer: NodeJS.Timeout | undefined;
	#failure: unknown;

	private constructor(sink: RecordingSink, startedMs: number, bytesMax: number) {
		this.#sink = sink;
		this.#startedMs = startedMs;
		this.#bytesMax = bytesMax;
	}

	/** Takes the sink. */
	static create(sink: RecordingSink, header: RecordingHeader, bytesMax: number): StreamRecording {
		const recording = new StreamRecording(sink, header.startedMs, bytesMax);
		recording.#append({
			...{version: 2, width: header.columns, height: header.rows},
			...{timestamp: Math.floor(header.startedMs / 1000), title: header.title, env: {TERM: 'xterm-256color'}},
		});
		return recording;
	}

	get sizeBytes(): number {
		return this.#sizeBytes;
	}

	/** A stream whose recording is full, or cannot be written, must not go on. */
	get usable(): boolean {
		return this.#failure === undefined && this.#sizeBytes < this.#bytesMax && this.#waitingChars < waitingCharsMax;
	}

	write(kind: 'o' | 'i' | 'r', text: string, nowMs: number): void {
		this.#append([Math.max(0, nowMs - this.#startedMs) / 1000, kind, text]);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		clearTimeout(this.#timer);
		this.#flush();
		await this.#writing;
		await this.#sink[Symbol.asyncDispose]();
	}

	#append(line: unknown): void {
		const text = `${JSON.stringify(line)}\n`;
		this.#sizeBytes += Buffer.byteLength(text);
		this.#waiting.push(text);
		this.#waitingChars += text.length;
		this.#timer ??= setTimeout(() => this.#flush(), this.#sink.flushMs);
	}

	/** Those that wait while the sink is busy go together. */
	#flush(): void {
		this.#timer = undefined;
		this.#writing = this.#writing
			.then(async () => {
				const text = this.#waiting.join('');
				this.#waiting = [];
				if (text !== '') {
					await this.#sink.append(text);
					this.#waitingChars -= text.length;
				}
			})
			.catch((error: unknown) => {
				this.#failure = error;
			});
	}
}
