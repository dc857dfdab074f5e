import {type FileHandle, mkdir, open} from 'node:fs/promises';
import path from 'node:path';

/** Lines are written together at most so late: what a crash of the server may cost the recording. */
const flushMs = 500;

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
	readonly #file: FileHandle;
	readonly #startedMs: number;
	readonly #bytesMax: number;
	#waiting: string[] = [];
	#sizeBytes = 0;
	#writing: Promise<void> = Promise.resolve();
	#timer: NodeJS.Timeout | undefined;
	#failure: unknown;

	private constructor(file: FileHandle, startedMs: number, bytesMax: number) {
		this.#file = file;
		this.#startedMs = startedMs;
		this.#bytesMax = bytesMax;
	}

	static async create(filePath: string, header: RecordingHeader, bytesMax: number): Promise<StreamRecording> {
		await mkdir(path.dirname(filePath), {recursive: true, mode: 0o700});
		const recording = new StreamRecording(await open(filePath, 'wx', 0o600), header.startedMs, bytesMax);
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
		return this.#failure === undefined && this.#sizeBytes < this.#bytesMax;
	}

	write(kind: 'o' | 'i' | 'r', text: string, nowMs: number): void {
		this.#append([Math.max(0, nowMs - this.#startedMs) / 1000, kind, text]);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		clearTimeout(this.#timer);
		this.#flush();
		await this.#writing;
		await this.#file.close();
	}

	#append(line: unknown): void {
		const text = `${JSON.stringify(line)}\n`;
		this.#sizeBytes += Buffer.byteLength(text);
		this.#waiting.push(text);
		this.#timer ??= setTimeout(() => this.#flush(), flushMs);
	}

	#flush(): void {
		this.#timer = undefined;
		const text = this.#waiting.join('');
		this.#waiting = [];
		this.#writing = this.#writing
			.then(async () => {
				await this.#file.appendFile(text);
			})
			.catch((error: unknown) => {
				this.#failure = error;
			});
	}
}
