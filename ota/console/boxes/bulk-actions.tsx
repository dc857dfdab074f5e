import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {BoxDetail} from '#ota/contract/box-api.ts';
import {CommandDialog} from '../box/command-dialog.tsx';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {TextField} from '../component/field.tsx';
import {plural} from '../format/format-number.ts';
import {request} from '../state/request.ts';
import {attempt, tellFailed} from '../state/toast.ts';
import {boxesThatMatch} from './boxes-that-match.ts';
import {eachOf} from './each-of.ts';

const changeTags = async (id: string, change: (tags: ReadonlySet<string>) => ReadonlySet<string>): Promise<void> => {
	const path = `/boxes/${encodeURIComponent(id)}`;
	const {body, etag} = await request<BoxDetail>('GET', path);
	await request('PATCH', path, {body: {tags: [...change(new Set(body.tags))].toSorted()}, ifMatch: etag});
};

/** From so many boxes on, a person types their number. */
const manyBoxes = 20;

/** Says how many went wrong, and why the first of them did. */
const tellFailures = (failures: readonly unknown[], count: number): void => {
	if (failures.length > 0) {
		tellFailed(`${failures.length} of ${count} boxes refused it: ${String(failures[0])}`);
	}
};

/** What can be done to the boxes that are selected. */
export const BulkActions = ({
	ids,
	filter,
	onSelect,
	onEnd,
}: {
	readonly ids: readonly string[];
	readonly filter: string;
	readonly onSelect: (ids: readonly string[]) => void;
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
			<Button onPress={() => attempt(async () => onSelect(await boxesThatMatch(filter)))}>Select all that match</Button>
			<Button look="plain" onPress={onEnd}>
				Clear the selection
			</Button>
			{open.value === 'tag' && <TagDialog ids={ids} onClose={close} />}
			{open.value === 'command' && (
				<CommandDialog
					title={`Send a command to ${plural(ids.length, 'box', 'boxes')}`}
					confirm={ids.length >= manyBoxes ? String(ids.length) : undefined}
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
	const typed = useSignal('');
	const isMany = ids.length >= manyBoxes;
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
			canSubmit={
				(add.value.trim() !== '' || remove.value.trim() !== '') && (!isMany || typed.value === String(ids.length))
			}
			onClose={onClose}
			onSubmit={submit}
		>
			<TextField label="Add" value={add} hint="Lower case, separated by spaces" autoFocus={true} />
			<TextField label="Take away" value={remove} />
			{isMany && <TextField label={`So many boxes: type ${ids.length} to be sure`} value={typed} />}
		</FormDialog>
	);
};
