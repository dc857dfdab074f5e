import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {BulkRequest} from '#ota/contract/command-bulk-api.ts';
import {CommandDialog} from '../box/command-dialog.tsx';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {TextField} from '../component/field.tsx';
import {plural} from '../format/format-number.ts';
import {attempt} from '../state/toast.ts';
import {boxesThatMatch} from './boxes-that-match.ts';
import {BulkProgress, type BulkRun} from './bulk-progress.tsx';

/** From so many boxes on, a person types their number. */
const manyBoxes = 20;

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
	const run = useSignal<BulkRun | undefined>(undefined);
	const begin = (title: string, action: BulkRequest['action']): void => {
		run.value = {title, request: {target: {kind: 'ids', ids: ids as DeviceId[]}, action}};
	};
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
			{open.value === 'tag' && (
				<TagDialog
					count={ids.length}
					onClose={close}
					onSend={(change) => begin('Changing tags', {kind: 'change-tags', ...change})}
				/>
			)}
			{open.value === 'command' && (
				<CommandDialog
					title={`Send a command to ${plural(ids.length, 'box', 'boxes')}`}
					confirm={ids.length >= manyBoxes ? String(ids.length) : undefined}
					onClose={close}
					onSend={async (body) => begin(`Sending ${body.name}`, {kind: 'command', ...body} as BulkRequest['action'])}
				/>
			)}
			{run.value !== undefined && (
				<BulkProgress
					run={run.value}
					onClose={() => {
						run.value = undefined;
					}}
				/>
			)}
		</div>
	);
};

const split = (text: string): string[] => text.split(/[\s,]+/u).filter((tag) => tag !== '');

type TagDialogProps = {
	readonly count: number;
	readonly onClose: () => void;
	readonly onSend: (change: {readonly add: string[]; readonly remove: string[]}) => void;
};

const TagDialog = ({count, onClose, onSend}: TagDialogProps): JSX.Element => {
	const add = useSignal('');
	const remove = useSignal('');
	const typed = useSignal('');
	const isMany = count >= manyBoxes;
	return (
		<FormDialog
			title={`Change tags of ${plural(count, 'box', 'boxes')}`}
			verb="Change tags"
			canSubmit={(add.value.trim() !== '' || remove.value.trim() !== '') && (!isMany || typed.value === String(count))}
			onClose={onClose}
			onSubmit={async () => onSend({add: split(add.value), remove: split(remove.value)})}
		>
			<TextField label="Add" value={add} hint="Lower case, separated by spaces" autoFocus={true} />
			<TextField label="Take away" value={remove} />
			{isMany && <TextField label={`So many boxes: type ${count} to be sure`} value={typed} />}
		</FormDialog>
	);
};
