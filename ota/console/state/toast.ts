import {signal} from '@preact/signals';
import {messageOf} from './request.ts';

export type Toast = {readonly id: number; readonly kind: 'done' | 'failed'; readonly text: string};

export const toasts = signal<readonly Toast[]>([]);

const shownMs = {done: 4000, failed: 10_000} as const;
let count = 0;

const show = (kind: Toast['kind'], text: string): void => {
	count += 1;
	const id = count;
	toasts.value = [...toasts.value.slice(-3), {id, kind, text}];
	setTimeout(() => dismiss(id), shownMs[kind]);
};

export const dismiss = (id: number): void => {
	toasts.value = toasts.value.filter((toast) => toast.id !== id);
};

export const tellDone = (text: string): void => show('done', text);
export const tellFailed = (error: unknown): void => show('failed', messageOf(error));

/** Runs what a button started and says how it ended; true when it worked. */
export const attempt = async (work: () => Promise<unknown>, done?: string): Promise<boolean> => {
	try {
		await work();
		if (done !== undefined) {
			tellDone(done);
		}
		return true;
	} catch (error) {
		tellFailed(error);
		return false;
	}
};
