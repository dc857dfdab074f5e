import type {ComponentChildren, JSX} from 'preact';
import {useEffect, useId, useRef} from 'preact/hooks';
import {attempt} from '../state/toast.ts';
import {Button} from './button.tsx';

export type DialogProps = {
	readonly title: string;
	readonly onClose: () => void;
	readonly children: ComponentChildren;
};

/** Modal: the browser keeps the focus in it, and Escape closes it. */
export const Dialog = ({title, onClose, children}: DialogProps): JSX.Element => {
	const element = useRef<HTMLDialogElement>(null);
	const id = useId();
	useEffect(() => {
		element.current?.showModal();
	}, []);
	return (
		<dialog ref={element} class="dialog" aria-labelledby={id} onClose={onClose}>
			<h2 id={id}>{title}</h2>
			{children}
		</dialog>
	);
};

export type FormDialogProps = DialogProps & {
	/** What the button says: the verb of what will happen. */
	readonly verb: string;
	readonly look?: 'primary' | 'danger';
	readonly done?: string;
	readonly canSubmit?: boolean;
	readonly onSubmit: () => Promise<unknown>;
};

/** Closes when it worked; otherwise it stays, with what was typed. */
export const FormDialog = (props: FormDialogProps): JSX.Element => {
	const {title, onClose, verb, look = 'primary', done, canSubmit = true, onSubmit, children} = props;
	const submit = async (): Promise<void> => {
		if (await attempt(onSubmit, done)) {
			onClose();
		}
	};
	return (
		<Dialog title={title} onClose={onClose}>
			<form
				class="form"
				onSubmit={(event) => {
					event.preventDefault();
					void submit();
				}}
			>
				{children}
				<div class="actions">
					<Button onPress={onClose}>Cancel</Button>
					<Button look={look} type="submit" disabled={!canSubmit}>
						{verb}
					</Button>
				</div>
			</form>
		</Dialog>
	);
};
