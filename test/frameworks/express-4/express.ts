// Where Express 4 is found: the other major stands in the root of the workspace.
import express from 'express'

export default express
