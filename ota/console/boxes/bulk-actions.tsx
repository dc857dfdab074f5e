import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {BoxDetail} from '#ota/contract/box-api.ts';
import {CommandDialog} from '../box/command-dialog.tsx';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {TextField} from '../component/field.tsx';
import {plural} from '../format/format-number.ts';
import {request} from '../state/request.ts';
import {tellFailed} from '../state/toast.ts';
import {eachOf} from './each-of.ts';

const changeTags = async (id: string, change: (tags: ReadonlySet<string>) => ReadonlySet<string>): Promise<void> => {
	const path = `/boxes/${encodeURIComponent(id)}`;
	const {body, etag} = await request<BoxDetail>('GET', path);
	await request('PATCH', path, {body: {tags: [...change(new Set(body.tags))].toSorted()}, ifMatch: etag});
};

/** Says how many went wrong, and why the first of them did. */
const tellFailures = (failures: readonly unknown[], count: number): void => {
	if (failures.length > 0) {
		tellFailed(`${failures.length} of ${count} boxes refused it: ${String(failures[0])}`);
	}
};

/** What can be done to the boxes that are selected. */
export const BulkActions = ({
	ids,
	onEnd,
}: {
	readonly ids: readonly string[];
	readonly onEnd: () => void;
}): JSX.Element => {
	const open = useSignal<'tag' | 'command' | undefined>(undefined);
	const close = (): void => {
		open.value = undefined;
	};
	return (
		<div class="bulk" role="toolbar" aria-label="Selected boxes">
			<strong>{plural(ids.length, 'box', 'boxes')} selected</strong>
			<Button
				onPress={() => {
					open.value = 'tag';
				}}
			>
				Change tags …
			</Button>
			<Button
				onPress={() => {
					open.value = 'command';
				}}
			>
				Send a command …
			</Button>
			<Button look="plain" onPress={onEnd}>
				Clear the selection
			</Button>
			{open.value === 'tag' && <TagDialog ids={ids} onClose={close} />}
			{open.value === 'command' && (
				<CommandDialog
					title={`Send a command to ${plural(ids.length, 'box', 'boxes')}`}
					onClose={close}
					onSend={async (body) => {
						const failures = await eachOf(ids, (id) =>
							request('POST', `/boxes/${encodeURIComponent(id)}/commands`, {body}),
						);
						tellFailures(failures, ids.length);
					}}
				/>
			)}
		</div>
	);
};

const split = (text: string): ReadonlySet<string> => new Set(text.split(/[\s,]+/u).filter((tag) => tag !== ''));

const TagDialog = ({ids, onClose}: {readonly ids: readonly string[]; readonly onClose: () => void}): JSX.Element => {
	const add = useSignal('');
	const remove = useSignal('');
	const submit = async (): Promise<void> => {
		const failures = await eachOf(ids, (id) =>
			changeTags(id, (tags) => tags.union(split(add.value)).difference(split(remove.value))),
		);
		tellFailures(failures, ids.length);
	};
	return (
		<FormDialog
			title={`Change tags of ${plural(ids.length, 'box', 'boxes')}`}
			verb="Change tags"
			done="Tags changed"
			canSubmit={add.value.trim() !== '' || remove.value.trim() !== ''}
			onClose={onClose}
			onSubmit={submit}
		>
			<TextField label="Add" value={add} hint="Lower case, separated by spaces" autoFocus={true} />
			<TextField label="Take away" value={remove} />
		</FormDialog>
	);
};
